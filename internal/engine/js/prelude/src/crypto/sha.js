// SHA (Web Cryptography, section 30).

export const digestOf = host.cryptoDigest;

// Bytes of a block of each hash, which are the default length of an HMAC's key.
export const blockSizes = { __proto__: null, "SHA-1": 64, "SHA-256": 64, "SHA-384": 128, "SHA-512": 128 };

const sha = (name) => ({ name, digest: { run: (_, data) => digestOf(name, data) } });
export const hashes = [sha("SHA-1"), sha("SHA-256"), sha("SHA-384"), sha("SHA-512")];
