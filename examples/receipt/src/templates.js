// The receipt's looks, as Liquid templates. They are parsed once, when the
// module is evaluated.

import { Liquid } from "liquidjs/dist/liquid.browser.mjs";
import { centre, columns, row, wrap } from "./columns.js";

const forText = new Liquid();
forText.registerFilter("centre", (text, width) => wrap(text, width).map((line) => centre(line, width)).join("\n"));
forText.registerFilter("indent", (text, width) => wrap(text, width - 2).map((line) => `  ${line}`).join("\n"));
forText.registerFilter("row", (left, right, width) => row(left, right, width));
forText.registerFilter("rule", (character, width) => character.repeat(width));

const textTemplate = forText.parse(`
{%- for line in header %}{{ line | centre: width }}
{% endfor -%}
{% if header.size > 0 %}{{ "=" | rule: width }}
{% endif -%}
{% if number != "" or date != "" %}{{ number | row: date, width }}
{{ "-" | rule: width }}
{% endif -%}
{% for item in items %}{{ item.name | row: item.amount, width }}
{% if item.detail != "" %}{{ item.detail | indent: width }}
{% endif %}{% endfor -%}
{{ "-" | rule: width }}
{{ words.total | row: total, width }}
{% for line in paid %}{{ line.label | row: line.amount, width }}
{% endfor -%}
{% if taxes.size > 0 %}{{ "-" | rule: width }}
{% endif -%}
{% for line in taxes %}{{ line.label | row: line.amount, width }}
{% endfor -%}
{{ "=" | rule: width }}
{{ words.thanks | centre: width }}
`);

export const text = (view, width) => forText.renderSync(textTemplate, { ...view, width });

const COLUMN = 8, LINE = 18, MARGIN = 16, MODULE = 4;

// Whatever the templates of pictures show is escaped.
const forPictures = new Liquid({ outputEscape: "escape" });
const pictureTemplate = forPictures.parse(`
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {{ width }} {{ height }}" font-family="monospace" font-size="14">
  <rect width="100%" height="100%" fill="#fff"/>
  {%- for line in lines %}
  <text x="{{ line.x }}" y="{{ line.y }}" textLength="{{ line.length }}" lengthAdjust="spacingAndGlyphs" xml:space="preserve">{{ line.text }}</text>
  {%- endfor %}
  <path transform="translate({{ qr.x }} {{ qr.y }}) scale({{ qr.scale }})" d="{{ qr.path }}"/>
</svg>
`.trim());

const placed = (line, i) => {
  const text = line.trimStart(), indent = line.length - text.length;
  return { text, x: MARGIN + indent * COLUMN, y: MARGIN + (i + 1) * LINE, length: columns(text) * COLUMN };
};

// picture is the text, line by line, with a QR code below it.
export const picture = (text, columnsOfText, { path, size }) => {
  const lines = text.trimEnd().split("\n").map(placed), width = 2 * MARGIN + columnsOfText * COLUMN;
  const below = 2 * MARGIN + lines.length * LINE, side = size * MODULE;
  const qr = { path, x: (width - side) / 2, y: below, scale: MODULE };
  return forPictures.renderSync(pictureTemplate, { lines, width, height: below + side + MARGIN, qr });
};

const qrTemplate = forPictures.parse(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {{ size }} {{ size }}"><rect width="100%" height="100%" fill="#fff"/><path d="{{ path }}"/></svg>');

// qrPicture is the code alone.
export const qrPicture = (path, size) => forPictures.renderSync(qrTemplate, { path, size });
