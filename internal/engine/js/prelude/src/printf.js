// host.formatAll: a console call's arguments as one text.
const { show, primitive } = host;
const MOST_TEXT = host.cutText() + 1;
const { apply } = Reflect, original = String.prototype.replace, { stringify } = JSON;
const replace = (s, what, by) => apply(original, s, [what, by]);

const plain = (value) => (typeof value === "string" ? (value.length > MOST_TEXT ? value.slice(0, MOST_TEXT) : value) : show(value));

const toNumber = (value, convert) =>
  typeof value === "bigint" ? primitive(value) : typeof value === "symbol" || typeof value === "object" ? "NaN" : primitive(convert(value));

// directives of a format string (Console Standard, section 2.2.1).
const directives = {
  s: (v) => (typeof v === "object" || typeof v === "function" ? show(v, { depth: 0 }) : typeof v === "string" ? plain(v) : primitive(v)),
  d: (v) => toNumber(v, Number),
  i: (v) => toNumber(v, parseInt),
  f: (v) => toNumber(v, parseFloat),
  j: (v) => { try { return plain(stringify(v) ?? "undefined"); } catch { return "[Circular]"; } },
  o: (v) => show(v, { depth: 4 }),
  O: (v) => show(v),
  c: () => "",
};

host.formatAll = (args) => {
  let text = "", i = 0, room = MOST_TEXT;
  if (typeof args[0] === "string" && args.length > 1 && args[0].includes("%")) {
    i = 1;
    text = replace(plain(args[0]), /%([sdifjoOc%])/g, (all, letter) => {
      if (letter === "%") return "%";
      if (i >= args.length) return all;
      const shown = room > 0 ? directives[letter](args[i++]) : "";
      room -= shown.length;
      return shown;
    });
  } else if (args.length > 0) {
    text = plain(args[i++]);
  }
  for (; i < args.length && text.length < MOST_TEXT; i++) text += " " + plain(args[i]);
  return text;
};
