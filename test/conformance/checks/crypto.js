// Web Cryptography, held against the vectors that the algorithms' own
// documents publish.
import { api, equal, ok, rejects, throws } from "./check.js";

const { subtle } = crypto;
const hex = (text) => new Uint8Array((text.match(/../g) ?? []).map((pair) => parseInt(pair, 16)));
const toHex = (buffer) => [...new Uint8Array(buffer)].map((b) => (b + 256).toString(16).slice(1)).join("");
const ascii = (text) => Uint8Array.from(text, (c) => c.charCodeAt(0));
const raw = (algorithm, bytes, usages, extractable = true) => subtle.importKey("raw", bytes, algorithm, extractable, usages);
const refuses = (kind, f) => () => rejects(f, kind);

api("Crypto", {
  "is what globalThis.crypto is, and cannot be constructed"() {
    ok(crypto instanceof Crypto);
    throws(() => new Crypto(), TypeError);
    equal(Object.prototype.toString.call(crypto), "[object Crypto]");
  },
  "is an attribute of the global object, and not writable"() {
    const d = Object.getOwnPropertyDescriptor(globalThis, "crypto");
    equal([typeof d.get, d.set, d.enumerable, d.configurable], ["function", undefined, true, true]);
  },
  "has its members on its prototype, enumerable"() {
    for (const name of ["subtle", "getRandomValues", "randomUUID"]) {
      equal(Object.hasOwn(crypto, name), false, name);
      ok(Object.getOwnPropertyDescriptor(Crypto.prototype, name).enumerable, name);
    }
  },
  "refuses methods on what is no Crypto"() {
    throws(() => Crypto.prototype.randomUUID.call({}), TypeError);
    throws(() => Crypto.prototype.getRandomValues.call({}, new Uint8Array(1)), TypeError);
    throws(() => Crypto.prototype.subtle, TypeError);
  },
  "puts interfaces on the global object, not enumerable"() {
    for (const name of ["Crypto", "SubtleCrypto", "CryptoKey"]) {
      const d = Object.getOwnPropertyDescriptor(globalThis, name);
      equal([typeof d.value, d.writable, d.enumerable, d.configurable], ["function", true, false, true], name);
    }
  },
});

api("crypto.getRandomValues", {
  "fills every type of integers and returns the array itself"() {
    for (const type of [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, BigInt64Array, BigUint64Array]) {
      const array = new type(64);
      ok(crypto.getRandomValues(array) === array, type.name);
      ok(array.some((x) => x != 0), type.name);
    }
  },
  "fills a view and nothing around it"() {
    const bytes = new Uint8Array(100);
    crypto.getRandomValues(bytes.subarray(32, 64));
    ok(bytes.subarray(0, 32).every((x) => x === 0) && bytes.subarray(64).every((x) => x === 0));
    ok(bytes.subarray(32, 64).some((x) => x !== 0));
  },
  "does not repeat itself"() {
    const seen = new Set(Array.from({ length: 100 }, () => toHex(crypto.getRandomValues(new Uint8Array(16)))));
    equal(seen.size, 100);
  },
  "refuses floats and a DataView as a TypeMismatchError"() {
    throws(() => crypto.getRandomValues(new Float64Array(1)), "TypeMismatchError");
    throws(() => crypto.getRandomValues(new Float32Array(1)), "TypeMismatchError");
    throws(() => crypto.getRandomValues(new DataView(new ArrayBuffer(1))), "TypeMismatchError");
  },
  "refuses what is no view as a TypeError"() {
    throws(() => crypto.getRandomValues(), TypeError);
    throws(() => crypto.getRandomValues([0]), TypeError);
    throws(() => crypto.getRandomValues(new ArrayBuffer(1)), TypeError);
    throws(() => crypto.getRandomValues(new Uint8Array(new SharedArrayBuffer(1))), TypeError);
  },
  "takes 65,536 bytes and not one more"() {
    equal(crypto.getRandomValues(new Uint8Array(65536)).length, 65536);
    throws(() => crypto.getRandomValues(new Uint8Array(65537)), "QuotaExceededError");
  },
  "takes an empty array"() {
    equal(crypto.getRandomValues(new Uint8Array(0)).length, 0);
  },
});

api("crypto.randomUUID", {
  "gives a UUID of version 4"() {
    for (let i = 0; i < 64; i++) ok(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(crypto.randomUUID()));
  },
  "gives another each time"() {
    equal(new Set(Array.from({ length: 200 }, () => crypto.randomUUID())).size, 200);
  },
});

api("crypto.subtle", {
  "is always the same object"() {
    ok(crypto.subtle === crypto.subtle);
    ok(crypto.subtle instanceof SubtleCrypto);
  },
});

api("SubtleCrypto", {
  "cannot be constructed"() {
    throws(() => new SubtleCrypto(), TypeError);
  },
  "has methods of the lengths that the specification gives"() {
    const lengths = { encrypt: 3, decrypt: 3, sign: 3, verify: 4, digest: 2, generateKey: 3, deriveKey: 5, deriveBits: 2, importKey: 5, exportKey: 2, wrapKey: 4, unwrapKey: 7 };
    for (const [name, length] of Object.entries(lengths)) equal(subtle[name].length, length, name);
  },
  async "rejects and does not throw, whatever is wrong"() {
    await rejects(subtle.digest(), TypeError);
    await rejects(subtle.digest(Symbol(), new Uint8Array(1)), TypeError);
    await rejects(SubtleCrypto.prototype.digest.call({}, "SHA-256", new Uint8Array(1)), TypeError);
    await rejects(subtle.sign("HMAC", {}, new Uint8Array(1)), TypeError);
    await rejects(subtle.importKey("der", new Uint8Array(1), "HMAC", true, []), TypeError);
    await rejects(subtle.importKey("raw", new Uint8Array(1), "AES-GCM", true, ["burn"]), TypeError);
    await rejects(subtle.importKey("raw", new Uint8Array(16), "AES-GCM", true, 5), TypeError);
  },
  async "passes on what a getter throws"() {
    const error = new RangeError("mine");
    await rejects(subtle.digest({ get name() { throw error; } }, new Uint8Array(1)), error);
  },
  async "does not know an algorithm for what it cannot do"() {
    await rejects(subtle.digest("MD5", new Uint8Array(1)), "NotSupportedError");
    await rejects(subtle.generateKey("PBKDF2", true, ["deriveBits"]), "NotSupportedError");
    await rejects(subtle.digest("", new Uint8Array(1)), "NotSupportedError");
    await rejects(subtle.digest("toString", new Uint8Array(1)), "NotSupportedError");
  },
  "needs a name in an algorithm": refuses(TypeError, () => subtle.digest({}, new Uint8Array(1))),
  async "refuses the memory of a SharedArrayBuffer"() {
    await rejects(subtle.digest("SHA-256", new SharedArrayBuffer(4)), TypeError);
    await rejects(subtle.digest("SHA-256", new Uint8Array(new SharedArrayBuffer(4))), TypeError);
  },
  async "checks a key's algorithm before its usage"() {
    const key = await raw({ name: "HMAC", hash: "SHA-256" }, new Uint8Array(32), ["verify"]);
    await rejects(subtle.encrypt({ name: "AES-GCM", iv: new Uint8Array(12) }, key, new Uint8Array(1)), "InvalidAccessError");
    await rejects(subtle.sign("HMAC", key, new Uint8Array(1)), "InvalidAccessError");
  },
  async "refuses a secret key that could not be used"() {
    await rejects(subtle.generateKey({ name: "AES-GCM", length: 128 }, true, []), "SyntaxError");
    await rejects(raw("AES-GCM", new Uint8Array(16), []), "SyntaxError");
    await rejects(subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["verify"]), "SyntaxError");
  },
  async "refuses usages that an algorithm has not"() {
    await rejects(raw("AES-GCM", new Uint8Array(16), ["sign"]), "SyntaxError");
    await rejects(subtle.generateKey({ name: "HMAC", hash: "SHA-1" }, true, ["encrypt"]), "SyntaxError");
    await rejects(subtle.generateKey("Ed25519", true, ["deriveKey"]), "SyntaxError");
  },
  async "needs a buffer for raw and an object for jwk"() {
    await rejects(raw("AES-GCM", { kty: "oct" }, ["encrypt"]), TypeError);
    await rejects(subtle.importKey("jwk", new Uint8Array(16), "AES-GCM", true, ["encrypt"]), TypeError);
  },
});

const digests = {
  "SHA-1": "a9993e364706816aba3e25717850c26c9cd0d89d",
  "SHA-256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  "SHA-384": "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
  "SHA-512": "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
};

api("SubtleCrypto.digest", {
  async "gives the digests of FIPS 180-4's examples"() {
    for (const [name, want] of Object.entries(digests)) equal(toHex(await subtle.digest(name, ascii("abc"))), want, name);
  },
  async "gives the digest of nothing"() {
    equal(toHex(await subtle.digest("SHA-256", new ArrayBuffer(0))), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  },
  async "gives an ArrayBuffer"() {
    const result = await subtle.digest("SHA-256", new Uint8Array(1));
    ok(result instanceof ArrayBuffer);
    equal(result.byteLength, 32);
  },
  async "takes names in any case, and objects with one"() {
    equal(toHex(await subtle.digest("sha-256", ascii("abc"))), digests["SHA-256"]);
    equal(toHex(await subtle.digest({ name: "Sha-1" }, ascii("abc"))), digests["SHA-1"]);
  },
  async "takes every kind of view"() {
    const bytes = ascii("xabcx").buffer;
    for (const view of [new Uint8Array(bytes, 1, 3), new Int8Array(bytes, 1, 3), new DataView(bytes, 1, 3)]) {
      equal(toHex(await subtle.digest("SHA-256", view)), digests["SHA-256"]);
    }
    equal(toHex(await subtle.digest("SHA-256", new Float64Array(0))), toHex(await subtle.digest("SHA-256", new Uint8Array(0))));
  },
  async "uses the bytes that were there at the call"() {
    const bytes = ascii("abc"), result = subtle.digest("SHA-256", bytes);
    bytes.fill(0);
    equal(toHex(await result), digests["SHA-256"]);
  },
  async "copies the data before a getter of the algorithm changes it"() {
    const bytes = ascii("abc");
    const result = subtle.digest({ get name() { bytes.fill(0); return "SHA-256"; } }, bytes);
    equal(toHex(await result), digests["SHA-256"]);
  },
  async "takes a detached buffer for an empty one"() {
    const bytes = ascii("abc"), empty = toHex(await subtle.digest("SHA-1", new Uint8Array(0)));
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
    equal(toHex(await subtle.digest("SHA-1", bytes)), empty);
    equal(toHex(await subtle.digest("SHA-1", bytes.buffer)), empty);
  },
  "refuses text": refuses(TypeError, () => subtle.digest("SHA-256", "abc")),
  async "gives the digest of a million letters a"() {
    equal(toHex(await subtle.digest("SHA-256", new Uint8Array(1e6).fill(97))), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  },
});

const hmacKey = (bytes, hash = "SHA-256", usages = ["sign", "verify"]) => raw({ name: "HMAC", hash }, bytes, usages);
const jefe = ascii("Jefe"), jefeData = ascii("what do ya want for nothing?");

api("HMAC", {
  async "gives the codes of RFC 4231, case 2"() {
    const want = {
      "SHA-256": "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
      "SHA-384": "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
      "SHA-512": "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
    };
    for (const hash of Object.keys(want)) equal(toHex(await subtle.sign("HMAC", await hmacKey(jefe, hash), jefeData)), want[hash], hash);
  },
  async "gives the codes of RFC 4231, cases 1 and 6"() {
    equal(toHex(await subtle.sign("HMAC", await hmacKey(new Uint8Array(20).fill(11)), ascii("Hi There"))), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    const long = await hmacKey(new Uint8Array(131).fill(0xaa));
    equal(toHex(await subtle.sign("HMAC", long, ascii("Test Using Larger Than Block-Size Key - Hash Key First"))), "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  },
  async "verifies its own code and no other"() {
    const key = await hmacKey(jefe), code = new Uint8Array(await subtle.sign("HMAC", key, jefeData));
    equal(await subtle.verify("HMAC", key, code, jefeData), true);
    equal(await subtle.verify("HMAC", key, code.subarray(0, 31), jefeData), false);
    code[31] ^= 1;
    equal(await subtle.verify("HMAC", key, code, jefeData), false);
    equal(await subtle.verify("HMAC", key, new Uint8Array(0), jefeData), false);
  },
  async "makes keys of the hash's block, or of the bits asked for"() {
    const length = async (algorithm) => (await subtle.generateKey({ name: "HMAC", ...algorithm }, true, ["sign"])).algorithm.length;
    equal(await length({ hash: "SHA-256" }), 512);
    equal(await length({ hash: "SHA-384" }), 1024);
    equal(await length({ hash: "SHA-512", length: 256 }), 256);
    await rejects(length({ hash: "SHA-256", length: 0 }), "OperationError");
  },
  async "has a JSON Web Key"() {
    const jwk = await subtle.exportKey("jwk", await hmacKey(jefe, { name: "sha-512" }));
    equal(jwk, { alg: "HS512", ext: true, k: "SmVmZQ", key_ops: ["sign", "verify"], kty: "oct" });
    const key = await subtle.importKey("jwk", jwk, { name: "HMAC", hash: "SHA-512" }, true, ["sign"]);
    equal(toHex(await subtle.exportKey("raw", key)), toHex(jefe));
    await rejects(subtle.importKey("jwk", jwk, { name: "HMAC", hash: "SHA-256" }, true, ["sign"]), "DataError");
  },
  async "refuses an empty key and a wrong length"() {
    await rejects(hmacKey(new Uint8Array(0)), "DataError");
    await rejects(raw({ name: "HMAC", hash: "SHA-256", length: 40 }, jefe, ["sign"]), "DataError");
    await rejects(raw({ name: "HMAC", hash: "SHA-256", length: 24 }, jefe, ["sign"]), "DataError");
  },
  "needs a hash": refuses(TypeError, () => raw("HMAC", jefe, ["sign"])),
  "refuses an unknown hash": refuses("NotSupportedError", () => raw({ name: "HMAC", hash: "SHA-3" }, jefe, ["sign"])),
  "has no keys in pkcs8": refuses("NotSupportedError", () => subtle.importKey("pkcs8", jefe, { name: "HMAC", hash: "SHA-1" }, true, ["sign"])),
});

// Test cases 4, 5 and 16 of McGrew and Viega's submission of GCM to NIST.
const gcm = {
  key: "feffe9928665731c6d6a8f9467308308", iv: "cafebabefacedbaddecaf888", additional: "feedfacedeadbeeffeedfacedeadbeefabaddad2",
  plain: "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
  sealed: "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091",
  tag: "5bc94fbc3221a5db94fae95ae7121a47",
};
const aes = (bytes, usages = ["encrypt", "decrypt"], extractable = true) => raw("AES-GCM", bytes, usages, extractable);
const gcmParameters = (more) => ({ name: "AES-GCM", iv: hex(gcm.iv), additionalData: hex(gcm.additional), ...more });

api("AES-GCM", {
  async "gives NIST's vectors"() {
    const key = await aes(hex(gcm.key));
    equal(toHex(await subtle.encrypt(gcmParameters(), key, hex(gcm.plain))), gcm.sealed + gcm.tag);
    const short = { iv: hex("cafebabefacedbad") };
    equal(toHex(await subtle.encrypt(gcmParameters(short), key, hex(gcm.plain))),
      "61353b4c2806934a777ff51fa22a4755699b2a714fcdc6f83766e5f97b6c742373806900e49f24b22b097544d4896b424989b5e1ebac0f07c23f4598" + "3612d2e79e3b0785561be14aaca2fccb");
    const long = await aes(hex(gcm.key + gcm.key));
    equal(toHex(await subtle.encrypt(gcmParameters(), long, hex(gcm.plain))),
      "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662" + "76fc6ece0f4e1768cddf8853bb2d551b");
  },
  async "decrypts what it encrypted, of every length of key and tag"() {
    for (const size of [16, 24, 32]) {
      const key = await aes(crypto.getRandomValues(new Uint8Array(size)));
      for (const tagLength of [32, 64, 96, 104, 112, 120, 128, undefined]) {
        const sealed = await subtle.encrypt(gcmParameters({ tagLength }), key, hex(gcm.plain));
        equal(sealed.byteLength, 60 + (tagLength ?? 128) / 8);
        equal(toHex(await subtle.decrypt(gcmParameters({ tagLength }), key, sealed)), gcm.plain);
      }
    }
  },
  async "shortens the tag at its end"() {
    const key = await aes(hex(gcm.key));
    equal(toHex(await subtle.encrypt(gcmParameters({ tagLength: 96 }), key, hex(gcm.plain))), gcm.sealed + gcm.tag.slice(0, 24));
  },
  async "refuses what was changed, in every part"() {
    const key = await aes(hex(gcm.key)), sealed = hex(gcm.sealed + gcm.tag);
    const open = (parameters, data) => subtle.decrypt(gcmParameters(parameters), key, data);
    equal(toHex(await open({}, sealed)), gcm.plain);
    for (const i of [0, 59, 60, 75]) {
      const bad = sealed.slice();
      bad[i] ^= 0x80;
      await rejects(open({}, bad), "OperationError");
      await rejects(open({ tagLength: 120 }, bad.subarray(0, 75).fill(1, 74)), "OperationError");
    }
    await rejects(open({ iv: new Uint8Array(12) }, sealed), "OperationError");
    await rejects(open({ additionalData: undefined }, sealed), "OperationError");
    await rejects(open({}, sealed.subarray(0, 15)), "OperationError");
    await rejects(open({}, new Uint8Array(0)), "OperationError");
  },
  async "seals nothing, and only additional data"() {
    const key = await aes(new Uint8Array(16));
    equal(toHex(await subtle.encrypt({ name: "AES-GCM", iv: new Uint8Array(12) }, key, new Uint8Array(0))), "58e2fccefa7e3061367f1d57a4e7455a");
    equal((await subtle.decrypt({ name: "AES-GCM", iv: new Uint8Array(12) }, key, hex("58e2fccefa7e3061367f1d57a4e7455a"))).byteLength, 0);
  },
  async "refuses lengths that there are not"() {
    const key = await aes(new Uint8Array(16));
    await rejects(subtle.encrypt(gcmParameters({ tagLength: 100 }), key, new Uint8Array(1)), "OperationError");
    await rejects(subtle.encrypt(gcmParameters({ tagLength: 256 }), key, new Uint8Array(1)), TypeError);
    await rejects(subtle.encrypt(gcmParameters({ iv: new Uint8Array(0) }), key, new Uint8Array(1)), "OperationError");
    await rejects(aes(new Uint8Array(17)), "DataError");
    await rejects(subtle.generateKey({ name: "AES-GCM", length: 64 }, true, ["encrypt"]), "OperationError");
    await rejects(subtle.generateKey({ name: "AES-GCM", length: -1 }, true, ["encrypt"]), TypeError);
    await rejects(subtle.generateKey("AES-GCM", true, ["encrypt"]), TypeError);
  },
  "needs an iv": refuses(TypeError, async () => subtle.encrypt("AES-GCM", await aes(new Uint8Array(16)), new Uint8Array(1))),
  async "leaves the data that it is given alone"() {
    const key = await aes(hex(gcm.key)), plain = hex(gcm.plain), sealed = hex(gcm.sealed + gcm.tag);
    await subtle.encrypt(gcmParameters(), key, plain);
    await subtle.decrypt(gcmParameters(), key, sealed);
    equal([toHex(plain), toHex(sealed)], [gcm.plain, gcm.sealed + gcm.tag]);
  },
  async "has a JSON Web Key"() {
    const jwk = await subtle.exportKey("jwk", await aes(hex(gcm.key), ["decrypt"]));
    equal(jwk, { alg: "A128GCM", ext: true, k: "_v_pkoZlcxxtao-UZzCDCA", key_ops: ["decrypt"], kty: "oct" });
    equal(toHex(await subtle.exportKey("raw", await subtle.importKey("jwk", jwk, "AES-GCM", true, ["decrypt"]))), gcm.key);
  },
  async "makes keys that differ"() {
    const make = async () => toHex(await subtle.exportKey("raw", await subtle.generateKey({ name: "AES-GCM", length: 256 }, true, ["encrypt"])));
    const [a, b] = [await make(), await make()];
    equal(a.length, 64);
    ok(a !== b);
  },
});

// RFC 6979, appendices A.2.5 and A.2.6, with the message "sample".
const sampleKeys = {
  "P-256": {
    hash: "SHA-256", d: "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721",
    x: "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6", y: "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299",
    signature: "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
  },
  "P-384": {
    hash: "SHA-384", d: "6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba9aa47740787137d896d5724e4c70a825f872c9ea60d2edf5",
    x: "ec3a4e415b4e19a4568618029f427fa5da9a8bc4ae92e02e06aae5286b300c64def8f0ea9055866064a254515480bc13",
    y: "8015d9b72d7d57244ea8ef9ac0c621896708a59367f9dfb9f54ca84b3f1c9db1288b231c3ae0d4fe7344fd2533264720",
    signature: "94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c81a648152e44acf96e36dd1e80fabe46" +
      "99ef4aeb15f178cea1fe40db2603138f130e740a19624526203b6351d0a3a94fa329c145786e679e7b82c71a38628ac8",
  },
};
const base64url = (bytes) => btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const samplePoint = ({ x, y }) => hex("04" + x + y);
const sampleJwk = (namedCurve, withPrivate = true) => {
  const { x, y, d } = sampleKeys[namedCurve];
  return { kty: "EC", crv: namedCurve, x: base64url(hex(x)), y: base64url(hex(y)), ...(withPrivate && { d: base64url(hex(d)) }) };
};
const importSample = (namedCurve, withPrivate = true) =>
  subtle.importKey("jwk", sampleJwk(namedCurve, withPrivate), { name: "ECDSA", namedCurve }, true, [withPrivate ? "sign" : "verify"]);
const p256 = { name: "ECDSA", namedCurve: "P-256" };

api("ECDSA", {
  async "verifies the signatures of RFC 6979"() {
    for (const [namedCurve, { hash, signature }] of Object.entries(sampleKeys)) {
      const key = await importSample(namedCurve, false), bytes = hex(signature), parameters = { name: "ECDSA", hash };
      equal(await subtle.verify(parameters, key, bytes, ascii("sample")), true, namedCurve);
      equal(await subtle.verify(parameters, key, bytes, ascii("simple")), false, namedCurve);
      bytes[0] ^= 1;
      equal(await subtle.verify(parameters, key, bytes, ascii("sample")), false, namedCurve);
      equal(await subtle.verify(parameters, key, bytes.subarray(1), ascii("sample")), false, namedCurve);
      equal(await subtle.verify(parameters, key, new Uint8Array(bytes.length), ascii("sample")), false, namedCurve);
    }
  },
  async "signs what it verifies, on each curve and with each hash"() {
    for (const [namedCurve, length] of [["P-256", 64], ["P-384", 96], ["P-521", 132]]) {
      const { privateKey, publicKey } = await subtle.generateKey({ name: "ECDSA", namedCurve }, false, ["sign", "verify"]);
      for (const hash of Object.keys(digests)) {
        const signature = await subtle.sign({ name: "ECDSA", hash }, privateKey, ascii("sample"));
        equal(signature.byteLength, length);
        equal(await subtle.verify({ name: "ECDSA", hash }, publicKey, signature, ascii("sample")), true);
      }
    }
  },
  async "gives each key of a pair its usages; the public one can always be exported"() {
    const { privateKey, publicKey } = await subtle.generateKey(p256, false, ["verify", "sign"]);
    equal([privateKey.type, privateKey.extractable, privateKey.usages], ["private", false, ["sign"]]);
    equal([publicKey.type, publicKey.extractable, publicKey.usages], ["public", true, ["verify"]]);
    equal(publicKey.algorithm, { name: "ECDSA", namedCurve: "P-256" });
    await rejects(subtle.exportKey("pkcs8", privateKey), "InvalidAccessError");
  },
  async "exports and imports raw, spki and pkcs8"() {
    for (const [namedCurve, { hash, signature, d, ...point }] of Object.entries(sampleKeys)) {
      const algorithm = { name: "ECDSA", namedCurve }, publicKey = await importSample(namedCurve, false);
      const uncompressed = await subtle.exportKey("raw", publicKey), spki = await subtle.exportKey("spki", publicKey);
      equal(toHex(uncompressed), toHex(samplePoint(point)));
      for (const [format, data] of [["raw", uncompressed], ["spki", spki]]) {
        const key = await subtle.importKey(format, data, algorithm, true, ["verify"]);
        equal(await subtle.verify({ name: "ECDSA", hash }, key, hex(signature), ascii("sample")), true, format);
      }
      const pkcs8 = await subtle.exportKey("pkcs8", await importSample(namedCurve));
      const privateKey = await subtle.importKey("pkcs8", pkcs8, algorithm, true, ["sign"]);
      const own = await subtle.sign({ name: "ECDSA", hash }, privateKey, ascii("sample"));
      equal(await subtle.verify({ name: "ECDSA", hash }, publicKey, own, ascii("sample")), true);
      equal((await subtle.exportKey("jwk", privateKey)).d, base64url(hex(d)));
    }
  },
  async "writes DER as others do"() {
    const { x, y, d } = sampleKeys["P-256"], point = "04" + x + y;
    equal(toHex(await subtle.exportKey("spki", await importSample("P-256", false))), "3059301306072a8648ce3d020106082a8648ce3d030107034200" + point);
    equal(toHex(await subtle.exportKey("pkcs8", await importSample("P-256"))),
      "308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420" + d + "a144034200" + point);
  },
  async "exports a JSON Web Key with its members in order"() {
    const jwk = await subtle.exportKey("jwk", await importSample("P-256"));
    equal(jwk, { ...sampleJwk("P-256"), key_ops: ["sign"], ext: true });
  },
  async "refuses what is no point of the curve"() {
    const point = samplePoint(sampleKeys["P-256"]);
    point[64] ^= 1;
    await rejects(raw(p256, point, ["verify"]), "DataError");
    await rejects(raw(p256, point.subarray(0, 64), ["verify"]), "DataError");
    await rejects(raw(p256, new Uint8Array(65), ["verify"]), "DataError");
    await rejects(raw(p256, new Uint8Array(0), ["verify"]), "DataError");
    const jwk = { ...sampleJwk("P-256", false), x: base64url(new Uint8Array(32)) };
    await rejects(subtle.importKey("jwk", jwk, p256, true, ["verify"]), "DataError");
  },
  async "refuses a private key that does not fit the public one, or is out of range"() {
    const importJwk = (d) => subtle.importKey("jwk", { ...sampleJwk("P-256"), d: base64url(d) }, p256, true, ["sign"]);
    const other = hex(sampleKeys["P-256"].d);
    other[31] ^= 1;
    for (const d of [other, new Uint8Array(32), new Uint8Array(32).fill(255), other.subarray(1)]) await rejects(importJwk(d), "DataError");
  },
  async "refuses DER of another curve, cut short, or with more behind it"() {
    const key = await importSample("P-256", false), spki = new Uint8Array(await subtle.exportKey("spki", key));
    const importSpki = (data, namedCurve = "P-256") => subtle.importKey("spki", data, { name: "ECDSA", namedCurve }, true, ["verify"]);
    await importSpki(spki);
    await rejects(importSpki(spki, "P-384"), "DataError");
    await rejects(importSpki(spki.subarray(0, 90)), "DataError");
    await rejects(importSpki(new Uint8Array([...spki, 0])), "DataError");
    await rejects(importSpki(new Uint8Array(0)), "DataError");
    await rejects(subtle.importKey("pkcs8", spki, p256, true, ["sign"]), "DataError");
  },
  async "refuses usages of the other key"() {
    await rejects(raw(p256, samplePoint(sampleKeys["P-256"]), ["sign"]), "SyntaxError");
    await rejects(subtle.importKey("jwk", sampleJwk("P-256"), p256, true, ["verify"]), "SyntaxError");
  },
  "does not know other curves": refuses("NotSupportedError", () => subtle.generateKey({ name: "ECDSA", namedCurve: "secp256k1" }, true, ["sign"])),
  async "needs the right key of the pair"() {
    const publicKey = await importSample("P-256", false);
    await rejects(subtle.sign({ name: "ECDSA", hash: "SHA-256" }, publicKey, new Uint8Array(1)), "InvalidAccessError");
    await rejects(subtle.exportKey("pkcs8", publicKey), "InvalidAccessError");
    await rejects(subtle.exportKey("raw", await importSample("P-256")), "InvalidAccessError");
  },
});

// RFC 8032, section 7.1, tests 1 and 2.
const edTests = [
  ["9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"],
  ["4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"],
];
const edPkcs8 = (seed) => hex("302e020100300506032b657004220420" + seed);
const importSeed = (seed) => subtle.importKey("pkcs8", edPkcs8(seed), "Ed25519", true, ["sign"]);

api("Ed25519", {
  async "gives the signatures of RFC 8032"() {
    for (const [seed, publicKey, message, signature] of edTests) {
      equal(toHex(await subtle.sign("Ed25519", await importSeed(seed), hex(message))), signature);
      const key = await raw("Ed25519", hex(publicKey), ["verify"]);
      equal(await subtle.verify("Ed25519", key, hex(signature), hex(message)), true);
      equal(await subtle.verify("Ed25519", key, hex(signature), hex(message + "00")), false);
      equal(await subtle.verify("Ed25519", key, hex(signature).subarray(1), hex(message)), false);
    }
  },
  async "exports and imports every format"() {
    const [seed, publicKey] = edTests[0], key = await importSeed(seed);
    equal(toHex(await subtle.exportKey("pkcs8", key)), toHex(edPkcs8(seed)));
    const jwk = await subtle.exportKey("jwk", key);
    equal([jwk.kty, jwk.crv, jwk.x, jwk.d], ["OKP", "Ed25519", base64url(hex(publicKey)), base64url(hex(seed))]);
    const imported = await subtle.importKey("jwk", jwk, "Ed25519", true, ["sign"]);
    equal(toHex(await subtle.exportKey("pkcs8", imported)), toHex(edPkcs8(seed)));
    const spki = await subtle.exportKey("spki", await raw("Ed25519", hex(publicKey), ["verify"]));
    equal(toHex(spki), "302a300506032b6570032100" + publicKey);
    equal(toHex(await subtle.exportKey("raw", await subtle.importKey("spki", spki, "Ed25519", true, ["verify"]))), publicKey);
  },
  async "makes pairs that fit"() {
    const { privateKey, publicKey } = await subtle.generateKey("Ed25519", true, ["sign", "verify"]);
    const signature = await subtle.sign("Ed25519", privateKey, ascii("x"));
    equal(await subtle.verify("Ed25519", publicKey, signature, ascii("x")), true);
    equal(privateKey.algorithm, { name: "Ed25519" });
  },
  async "refuses keys of another length, and halves that do not fit"() {
    await rejects(raw("Ed25519", new Uint8Array(31), ["verify"]), "DataError");
    await rejects(subtle.importKey("pkcs8", edPkcs8("00".repeat(31)), "Ed25519", true, ["sign"]), "DataError");
    const jwk = await subtle.exportKey("jwk", await importSeed(edTests[0][0]));
    await rejects(subtle.importKey("jwk", { ...jwk, x: base64url(hex(edTests[1][1])) }, "Ed25519", true, ["sign"]), "DataError");
    await rejects(subtle.importKey("jwk", { ...jwk, crv: "X25519" }, "Ed25519", true, ["sign"]), "DataError");
  },
  async "verifies nothing under a key of small order"() {
    const identity = hex("01" + "00".repeat(31)), signature = new Uint8Array(64);
    signature[0] = 1;
    equal(await subtle.verify("Ed25519", await raw("Ed25519", identity, ["verify"]), signature, ascii("anything")), false);
  },
  async "needs a point to verify"() {
    const key = await raw("Ed25519", hex("02" + "00".repeat(31)), ["verify"]);
    equal(await subtle.verify("Ed25519", key, new Uint8Array(64), new Uint8Array(0)), false);
  },
});

const secret = (name, bytes, usages = ["deriveBits", "deriveKey"]) => raw(name, bytes, usages, false);

api("HKDF", {
  async "gives the bits of RFC 5869, cases 1 and 3"() {
    const key = await secret("HKDF", new Uint8Array(22).fill(11));
    const bits = (salt, info) => subtle.deriveBits({ name: "HKDF", hash: "SHA-256", salt: hex(salt), info: hex(info) }, key, 336);
    equal(toHex(await bits("000102030405060708090a0b0c", "f0f1f2f3f4f5f6f7f8f9")), "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
    equal(toHex(await bits("", "")), "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
  },
  async "derives keys for other algorithms"() {
    const key = await secret("HKDF", new Uint8Array(32)), parameters = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(0), info: new Uint8Array(0) };
    const derived = await subtle.deriveKey(parameters, key, { name: "AES-GCM", length: 256 }, true, ["encrypt"]);
    equal(toHex(await subtle.exportKey("raw", derived)), toHex(await subtle.deriveBits(parameters, key, 256)));
    const mac = await subtle.deriveKey(parameters, key, { name: "HMAC", hash: "SHA-384" }, true, ["sign"]);
    equal([mac.algorithm.length, mac.algorithm.hash.name], [1024, "SHA-384"]);
    await rejects(subtle.deriveKey(parameters, key, { name: "AES-GCM", length: 100 }, true, ["encrypt"]), "OperationError");
  },
  async "refuses lengths that it cannot give"() {
    const key = await secret("HKDF", new Uint8Array(32)), parameters = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(0), info: new Uint8Array(0) };
    for (const length of [null, undefined, 7, 255 * 256 + 8]) await rejects(subtle.deriveBits(parameters, key, length), "OperationError");
    equal((await subtle.deriveBits(parameters, key, 255 * 256)).byteLength, 8160);
  },
  async "keeps its keys to itself"() {
    await rejects(raw("HKDF", new Uint8Array(32), ["deriveBits"], true), "SyntaxError");
    await rejects(secret("HKDF", new Uint8Array(32), ["sign"]), "SyntaxError");
    await rejects(subtle.exportKey("raw", await secret("HKDF", new Uint8Array(32))), "NotSupportedError");
  },
  "needs salt and info": refuses(TypeError, async () => subtle.deriveBits({ name: "HKDF", hash: "SHA-256", salt: new Uint8Array(0) }, await secret("HKDF", new Uint8Array(1)), 8)),
  async "tells deriving bits and keys apart"() {
    const key = await secret("HKDF", new Uint8Array(32), ["deriveKey"]);
    await rejects(subtle.deriveBits({ name: "HKDF", hash: "SHA-256", salt: new Uint8Array(0), info: new Uint8Array(0) }, key, 128), "InvalidAccessError");
  },
});

const stretch = async (hash, password, salt, iterations, bits) =>
  toHex(await subtle.deriveBits({ name: "PBKDF2", hash, salt: ascii(salt), iterations }, await secret("PBKDF2", ascii(password)), bits));

api("PBKDF2", {
  async "gives the keys of RFC 6070"() {
    equal(await stretch("SHA-1", "password", "salt", 1, 160), "0c60c80f961f0e71f3a9b524af6012062fe037a6");
    equal(await stretch("SHA-1", "password", "salt", 4096, 160), "4b007901b765489abead49d926f721d065a429c1");
    equal(await stretch("SHA-1", "passwordPASSWORDpassword", "saltSALTsaltSALTsaltSALTsaltSALTsalt", 4096, 200), "3d2eec4fe41c849b80c8d83662c0e44a8b291a964cf2f07038");
  },
  async "gives the key of RFC 7914, section 11"() {
    equal(await stretch("SHA-256", "passwd", "salt", 1, 512),
      "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783");
  },
  async "takes an empty password, and gives no bits when asked for none"() {
    equal((await stretch("SHA-512", "", "salt", 2, 512)).length, 128);
    equal(await stretch("SHA-256", "x", "y", 1, 0), "");
  },
  async "refuses no iterations, and lengths that are not bytes"() {
    await rejects(stretch("SHA-256", "x", "y", 0, 128), "OperationError");
    await rejects(stretch("SHA-256", "x", "y", 1, 12), "OperationError");
    await rejects(stretch("SHA-256", "x", "y", 1, null), "OperationError");
    await rejects(stretch("SHA-256", "x", "y", -1, 128), TypeError);
    await rejects(stretch("SHA-256", "x", "y", 2 ** 32, 128), TypeError);
  },
  async "derives keys"() {
    const key = await secret("PBKDF2", ascii("password"), ["deriveKey"]);
    const derived = await subtle.deriveKey({ name: "PBKDF2", hash: "SHA-1", salt: ascii("salt"), iterations: 1 }, key, { name: "AES-GCM", length: 128 }, true, ["decrypt"]);
    equal(toHex(await subtle.exportKey("raw", derived)), "0c60c80f961f0e71f3a9b524af601206");
  },
});

api("SubtleCrypto.wrapKey", {
  async "wraps and unwraps in every format"() {
    const wrapping = await aes(new Uint8Array(32), ["wrapKey", "unwrapKey"]), parameters = { name: "AES-GCM", iv: new Uint8Array(12) };
    const pair = await subtle.generateKey(p256, true, ["sign", "verify"]);
    const mac = await hmacKey(jefe);
    const keys = [["raw", mac, { name: "HMAC", hash: "SHA-256" }], ["jwk", mac, { name: "HMAC", hash: "SHA-256" }],
      ["pkcs8", pair.privateKey, p256], ["jwk", pair.privateKey, p256], ["spki", pair.publicKey, p256]];
    for (const [format, key, algorithm] of keys) {
      const wrapped = await subtle.wrapKey(format, key, wrapping, parameters);
      const back = await subtle.unwrapKey(format, wrapped, wrapping, parameters, algorithm, true, key.usages);
      equal(await subtle.exportKey("jwk", back), await subtle.exportKey("jwk", key), format);
    }
  },
  async "wraps what exportKey gives"() {
    const wrapping = await aes(new Uint8Array(32), ["wrapKey", "decrypt"]), parameters = { name: "AES-GCM", iv: new Uint8Array(12) };
    const wrapped = await subtle.wrapKey("jwk", await hmacKey(jefe), wrapping, parameters);
    const json = JSON.parse(String.fromCharCode(...new Uint8Array(await subtle.decrypt(parameters, wrapping, wrapped))));
    equal(json, { alg: "HS256", ext: true, k: "SmVmZQ", key_ops: ["sign", "verify"], kty: "oct" });
  },
  async "does not wrap a key that may not be extracted"() {
    const wrapping = await aes(new Uint8Array(32), ["wrapKey"]), parameters = { name: "AES-GCM", iv: new Uint8Array(12) };
    await rejects(subtle.wrapKey("raw", await aes(new Uint8Array(16), ["encrypt"], false), wrapping, parameters), "InvalidAccessError");
    await rejects(subtle.wrapKey("raw", wrapping, await aes(new Uint8Array(16), ["encrypt"]), parameters), "InvalidAccessError");
  },
  async "refuses what was wrapped by another key, or is no key"() {
    const parameters = { name: "AES-GCM", iv: new Uint8Array(12) }, key = await aes(new Uint8Array(32), ["encrypt", "unwrapKey"]);
    const unwrap = (format, data) => subtle.unwrapKey(format, data, key, parameters, "AES-GCM", true, ["encrypt"]);
    await rejects(unwrap("raw", new Uint8Array(32)), "OperationError");
    await rejects(unwrap("raw", await subtle.encrypt(parameters, key, new Uint8Array(5))), "DataError");
    for (const text of ["{", "1", "null", "{}", '{"kty":"oct"}', '{"kty":"oct","k":"*"}']) {
      await rejects(unwrap("jwk", await subtle.encrypt(parameters, key, ascii(text))), "DataError");
    }
  },
});

api("SubtleCrypto.importKey", {
  async "holds a JSON Web Key against what it is imported for"() {
    const jwk = { kty: "oct", k: base64url(new Uint8Array(16)) };
    const importJwk = (members, usages = ["encrypt"], extractable = true) => subtle.importKey("jwk", { ...jwk, ...members }, "AES-GCM", extractable, usages);
    for (const members of [{}, { use: "enc" }, { key_ops: ["encrypt", "decrypt"] }, { ext: true }, { alg: "A128GCM" }]) await importJwk(members);
    for (const members of [{ kty: "EC" }, { use: "sig" }, { key_ops: ["decrypt"] }, { key_ops: ["encrypt", "encrypt"] }, { ext: false }, { alg: "A256GCM" }, { k: undefined }, { k: "a+b=" }]) {
      await rejects(importJwk(members), "DataError");
    }
    equal((await importJwk({ ext: false }, ["encrypt"], false)).extractable, false);
  },
  async "copies the bytes at the call"() {
    const bytes = hex(gcm.key), key = aes(bytes);
    bytes.fill(0);
    equal(toHex(await subtle.exportKey("raw", await key)), gcm.key);
  },
});

api("CryptoKey", {
  "cannot be constructed"() {
    throws(() => new CryptoKey(), TypeError);
    throws(() => CryptoKey.prototype.type, TypeError);
  },
  async "tells its type, algorithm and usages"() {
    const key = await hmacKey(jefe, "SHA-256", ["verify", "sign", "verify"]);
    ok(key instanceof CryptoKey);
    equal(Object.prototype.toString.call(key), "[object CryptoKey]");
    equal([key.type, key.extractable], ["secret", true]);
    equal(key.algorithm, { name: "HMAC", hash: { name: "SHA-256" }, length: 32 });
    equal(key.usages, ["sign", "verify"]);
    ok(key.algorithm === key.algorithm && key.usages === key.usages);
  },
  async "can be cloned, and is as closed then as before"() {
    const key = structuredClone(await aes(hex(gcm.key), ["decrypt"], false));
    ok(key instanceof CryptoKey);
    equal([key.type, key.extractable, key.usages], ["secret", false, ["decrypt"]]);
    equal(toHex(await subtle.decrypt(gcmParameters(), key, hex(gcm.sealed + gcm.tag))), gcm.plain);
    await rejects(subtle.exportKey("raw", key), "InvalidAccessError");
  },
  async "is not changed by what is done to what it tells"() {
    const key = await aes(hex(gcm.key), ["decrypt"], false);
    key.algorithm.name = "HMAC";
    key.usages.push("encrypt");
    Object.defineProperty(key, "extractable", { value: true });
    await rejects(subtle.exportKey("raw", key), "InvalidAccessError");
    await rejects(subtle.encrypt(gcmParameters(), key, new Uint8Array(1)), "InvalidAccessError");
    equal(toHex(await subtle.decrypt(gcmParameters(), key, hex(gcm.sealed + gcm.tag))), gcm.plain);
  },
  async "shows its bytes to no code of the program's"() {
    const stolen = [], hooked = Object.getPrototypeOf(Uint8Array.prototype), { set, slice, subarray } = hooked;
    const prototypes = [[Uint8Array.prototype, "then"], [Object.prototype, "then"], [Object.prototype, "material"], [Object.prototype, "secret"]];
    for (const [object, name] of prototypes) {
      Object.defineProperty(object, name, { configurable: true, get() { if (ArrayBuffer.isView(this)) stolen.push(this); }, set(value) { stolen.push(value); } });
    }
    hooked.set = hooked.slice = hooked.subarray = function () { stolen.push(this); };
    try {
      const key = await subtle.generateKey({ name: "AES-GCM", length: 128 }, false, ["encrypt"]);
      await subtle.encrypt({ name: "AES-GCM", iv: new ArrayBuffer(12) }, key, new ArrayBuffer(1));
      await subtle.generateKey(p256, false, ["sign"]);
    } finally {
      for (const [object, name] of prototypes) delete object[name];
      Object.assign(hooked, { set, slice, subarray });
    }
    equal(stolen.length, 0);
  },
});
