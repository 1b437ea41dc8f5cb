// Text in columns of a printer's fixed width: a Chinese or Japanese character
// takes two of them, a combining mark none.

import { eastAsianWidth } from "get-east-asian-width";

const zero = /^[\p{M}\p{Cf}]$/u;
const columnsOf = (character) => (zero.test(character) ? 0 : eastAsianWidth(character.codePointAt(0)));

export const columns = (text) => [...text].reduce((sum, character) => sum + columnsOf(character), 0);

const spaces = (n) => " ".repeat(Math.max(n, 0));
export const centre = (text, width) => spaces(Math.floor((width - columns(text)) / 2)) + text;

// wrap breaks text into lines of at most width columns, between words where
// that is possible.
export const wrap = (text, width) => {
  const lines = [""];
  for (const word of text.split(/ +/).flatMap((w) => pieces(w, width))) {
    const last = lines.at(-1), longer = last === "" ? word : `${last} ${word}`;
    if (columns(longer) <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
};

// pieces cuts a word that is wider than a line.
const pieces = (word, width) => {
  const cut = [""];
  for (const character of word) {
    if (columns(cut.at(-1)) + columnsOf(character) > width) cut.push("");
    cut[cut.length - 1] += character;
  }
  return cut;
};

// row puts left at the left end and right at the right end of a line, or of
// the last of several when left is too wide.
export const row = (left, right, width) => {
  const lines = wrap(left, width - columns(right) - 2), last = lines.at(-1);
  lines[lines.length - 1] = (last + spaces(width - columns(last) - columns(right)) + right).trimEnd();
  return lines.join("\n");
};
