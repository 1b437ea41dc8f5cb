// Whether bytes are what a program expects (Subresource Integrity, section 3.3).
const algorithms = { sha256: "SHA-256", sha384: "SHA-384", sha512: "SHA-512" };

const parse = (metadata) =>
  metadata.split(/[\t\n\f\r ]+/).map((item) => /^(sha256|sha384|sha512)-([0-9A-Za-z+/_-]+={0,2})(\?.*)?$/.exec(item)).filter((m) => m !== null);

// isIntact holds bytes against the strongest of the hashes that metadata names.
// Metadata without a hash that is known asks for nothing.
export const isIntact = async (bytes, metadata) => {
  const hashes = parse(metadata);
  if (hashes.length === 0) return true;
  const strongest = hashes.map(([, name]) => name).sort().at(-1);
  const digest = new Uint8Array(await crypto.subtle.digest(algorithms[strongest], bytes)).toBase64();
  return hashes.some(([, name, hash]) => name === strongest && hash.replace(/-/g, "+").replace(/_/g, "/") === digest);
};
