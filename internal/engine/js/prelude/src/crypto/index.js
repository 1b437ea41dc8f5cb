// Web Cryptography: crypto, Crypto, SubtleCrypto and CryptoKey. The algorithms
// are Go's (see cryptoNatives); everything about keys is here.
import { define } from "../define.js";
import { aesGcm } from "./aesgcm.js";
import { register } from "./algorithm.js";
import { Crypto, crypto } from "./crypto.js";
import { ecdsa } from "./ecdsa.js";
import { ed25519 } from "./ed25519.js";
import { hmac } from "./hmac.js";
import { hkdf, pbkdf2 } from "./kdf.js";
import { CryptoKey } from "./key.js";
import { hashes } from "./sha.js";
import { SubtleCrypto } from "./subtle.js";

for (const algorithm of [...hashes, hmac, aesGcm, ecdsa, ed25519, hkdf, pbkdf2]) register(algorithm);

define({ Crypto, SubtleCrypto, CryptoKey });
Object.defineProperty(globalThis, "crypto", { get() { return crypto; }, enumerable: true, configurable: true });

export { Crypto, SubtleCrypto, CryptoKey, crypto };
