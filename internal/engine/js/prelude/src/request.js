// host.request: a request to the host, whose answer comes later. mp.request is
// made of it, and what else asks the host for something.
const MOST = 64, LONGEST = 1 << 20;
const { parse, stringify } = JSON;
const OwnPromise = Promise, OwnError = Error, OwnTypeError = TypeError;
const waiting = new Map();
const get = waiting.get.bind(waiting), put = waiting.set.bind(waiting), remove = waiting.delete.bind(waiting);
let last = 0, open = 0;

const names = {
  __proto__: null,
  not_found: "NotFoundError", quota_exceeded: "QuotaExceededError", too_large: "QuotaExceededError",
  not_allowed: "NotAllowedError", aborted: "AbortError", failed: "OperationError",
};

// host.error is an Error with the host's code. What the caller did wrong is a
// TypeError, as it is anywhere else.
host.error = (code, message) => {
  const error = code === "invalid_params" ? new OwnTypeError(message) : new OwnError(message);
  const members = { code: { value: code, writable: true, enumerable: true, configurable: true } };
  if (names[code]) members.name = { value: names[code], writable: true, enumerable: false, configurable: true };
  return Object.defineProperties(error, members);
};

const settle = (id) => {
  const request = get(id);
  if (remove(id)) open--;
  return request;
};

host.answered = (id, json, code, message) => {
  const request = settle(id);
  if (request === undefined) return;
  if (code === undefined) request.resolve(parse(json));
  else request.reject(host.error(code, message));
};

const send = (id, method, params) => {
  if (open > MOST) throw host.error("quota_exceeded", `${method}: ${MOST} requests to the host are under way, which is the limit`);
  const size = host.ask(id, method, params);
  if (size !== undefined) throw host.error("too_large", `${method}: the params are ${size} bytes of JSON; the limit is ${LONGEST}`);
};

// host.request(method, params) → promise. Params that are undefined are none.
host.request = (method, params) => {
  let resolve, reject;
  const promise = new OwnPromise((yes, no) => { resolve = yes; reject = no; });
  let id;
  try {
    if (typeof method !== "string" || method === "") throw new OwnTypeError("mp.request: the method is not a string, or empty");
    const json = stringify(params);
    if (json === undefined && params !== undefined) throw new OwnTypeError(`${method}: the params cannot be JSON`);
    do last = (last + 1) & 0x3fffffff; while (get(last) !== undefined);
    id = last;
    put(id, { resolve, reject });
    open++;
    send(id, method, json);
  } catch (error) {
    if (id !== undefined) settle(id);
    reject(error);
  }
  return promise;
};

// host.restored is called when the heap has come back from an image: nobody
// answers what was asked before.
host.restored = () => {
  for (const id of [...waiting.keys()]) {
    settle(id).reject(host.error("aborted", "the program was suspended before the host answered"));
  }
};
