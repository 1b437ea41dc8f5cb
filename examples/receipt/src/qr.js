// A QR code as its modules, as text and as a path of SVG.

import { encodeQR } from "qr";

// matrix is an array of rows of booleans, true for dark. Around the code is the
// quiet zone of four modules that readers want.
export const matrix = (content) => encodeQR(content, "raw", { ecc: "medium", border: 4 });

const blocks = { 0: " ", 1: "▀", 2: "▄", 3: "█" };

// textOf writes two rows in a line.
export const textOf = (rows) => {
  let text = "";
  for (let y = 0; y < rows.length; y += 2) {
    text += rows[y].map((dark, x) => blocks[+dark + 2 * +(rows[y + 1]?.[x] ?? false)]).join("") + "\n";
  }
  return text;
};

// pathOf has a rectangle for each run of dark modules in a row.
export const pathOf = (rows) => rows.map((row, y) => {
  let path = "";
  for (let x = 0; x < row.length; x++) {
    const start = x;
    while (row[x]) x++;
    if (x > start) path += `M${start} ${y}h${x - start}v1H${start}z`;
  }
  return path;
}).join("");
