// The exceptions of Web Cryptography (section 19).
import { DOMException } from "../dom/index.js";

const exception = (name) => (message) => new DOMException(message, name);

export const operationError = exception("OperationError");
export const dataError = exception("DataError");
export const invalidAccess = exception("InvalidAccessError");
export const notSupported = exception("NotSupportedError");
export const syntaxError = exception("SyntaxError");
export const quotaExceeded = exception("QuotaExceededError");
export const typeMismatch = exception("TypeMismatchError");
