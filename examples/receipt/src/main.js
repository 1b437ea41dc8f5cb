// Receipts of a shop: render takes one JSON object and returns one. Amounts in
// results are strings, for JSON's numbers lose digits.

import { account } from "./account.js";
import { readSale } from "./input.js";
import { formats } from "./formats.js";
import { matrix, pathOf, textOf } from "./qr.js";
import { picture, qrPicture, text } from "./templates.js";
import { view } from "./view.js";
import { words } from "./words.js";

// render: {items, currency, locale, …}, see the README → the receipt as text of
// a fixed width and as SVG, and the QR code that it carries.
export function render(input) {
  const sale = readSale(input), sums = account(sale);
  console.info(`a receipt over ${sums.total.toFixed()} ${sale.currency} for ${sale.items.length} items`);
  const receipt = text(view(sale, sums, formats(sale), words(sale.locale)), sale.width);
  const content = sale.link ?? [sale.shop.name, sale.number, `${sums.total.toFixed(sale.digits)} ${sale.currency}`].filter(Boolean).join(" ");
  const code = matrix(content), path = pathOf(code);
  return {
    total: sums.total.toFixed(sale.digits),
    text: receipt,
    svg: picture(receipt, sale.width, { path, size: code.length }),
    qr: { content, text: textOf(code), svg: qrPicture(path, code.length) },
  };
}
