// host.primitive and host.showKey: values that are no objects, and names of
// members, as text.
const MOST_TEXT = host.cutText() + 1;
const apply = Reflect.apply;
const uncurry = (f) => (self, ...args) => apply(f, self, args);
const slice = uncurry(String.prototype.slice), replace = uncurry(String.prototype.replace), includes = uncurry(String.prototype.includes);
const pad = uncurry(String.prototype.padStart), hexOf = uncurry(Number.prototype.toString), codeAt = uncurry(String.prototype.charCodeAt);
const matches = uncurry(RegExp.prototype.test), symbolText = uncurry(Symbol.prototype.toString);

const escapes = { "\n": "\\n", "\t": "\\t", "\r": "\\r", "\b": "\\b", "\f": "\\f", "\v": "\\v", "\\": "\\\\" };
const quote = (s) => {
  let cut = "";
  if (s.length > MOST_TEXT) {
    cut = `... ${s.length - MOST_TEXT} more characters`;
    s = slice(s, 0, MOST_TEXT);
  }
  const mark = !includes(s, "'") ? "'" : !includes(s, '"') ? '"' : !includes(s, "`") ? "`" : "'";
  s = replace(s, /[\x00-\x1f\x7f\\]/g, (c) => escapes[c] ?? "\\x" + pad(hexOf(codeAt(c, 0), 16), 2, "0"));
  if (mark === "'") s = replace(s, /'/g, "\\'");
  return mark + s + mark + cut;
};

host.showKey = (key) =>
  typeof key === "symbol" ? `[${symbolText(key)}]` : matches(/^[A-Za-z_$][\w$]*$/, key) ? key : quote(key);

host.primitive = (value) => {
  switch (typeof value) {
    case "string": return quote(value);
    case "bigint": return `${bigText(value)}n`;
    case "symbol": return symbolText(value);
    case "number": return Object.is(value, -0) ? "-0" : `${value}`;
    default: return `${value}`;
  }
};
// A large BigInt takes long to convert: its size is told instead.
const bigText = (value) => (value > HUGE || value < -HUGE ? "[a BigInt of more than 4000 bits] " : `${value}`);
const HUGE = 1n << 4000n;
