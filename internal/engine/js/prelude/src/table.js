// console.table's text (Console Standard, section 1.1.7): a row for each member
// of a value, a column for each key that the members have.
import { methods } from "./dom/builtins.js";

const { show } = host;
const { mapEntries, setValues } = methods;
const { getOwnPropertyDescriptor } = Object, { ownKeys } = Reflect;
const MOST_ROWS = 100, MOST_COLUMNS = 30, INDEX = "(index)", ITERATION = "(iteration index)", VALUES = "Values";

const isObject = (value) => (typeof value === "object" && value !== null) || typeof value === "function";
const attempt = (f, value) => { try { return f(value); } catch { return undefined; } };

// cells are the members of a row as text, by column. No getter is called.
const cells = (value) => {
  if (!isObject(value) || host.isProxy(value)) return [[VALUES, show(value, { depth: 0 })]];
  const row = [];
  for (const key of keysOf(value, MOST_COLUMNS)) {
    const d = getOwnPropertyDescriptor(value, key);
    row.push([key, "value" in d ? show(d.value, { depth: 0 }) : "[Getter]"]);
  }
  return row;
};

const keysOf = (value, most) => {
  const keys = [];
  for (const key of ownKeys(value)) {
    if (keys.length === most) break;
    if (typeof key === "string" && getOwnPropertyDescriptor(value, key)?.enumerable) keys.push(key);
  }
  return keys;
};

// rowsOf lists the rows as [index, cells], under the index's heading.
const rowsOf = (value) => {
  const entries = attempt(mapEntries, value), values = attempt(setValues, value);
  const numbered = (list) => list.slice(0, MOST_ROWS).map((row, i) => [String(i), row]);
  if (entries !== undefined) return [ITERATION, numbered(entries.map(([k, v]) => [["Key", show(k, { depth: 0 })], [VALUES, show(v, { depth: 0 })]]))];
  if (values !== undefined) return [ITERATION, numbered(values.map(cells))];
  return [INDEX, keysOf(value, MOST_ROWS).map((key) => {
    const d = getOwnPropertyDescriptor(value, key);
    return [key, "value" in d ? cells(d.value) : [[VALUES, "[Getter]"]]];
  })];
};

// columnsOf are the keys of all rows in the order of their first, values last.
const columnsOf = (rows) => {
  const columns = new Set(rows.flatMap(([, row]) => row.map(([key]) => key)));
  const values = columns.delete(VALUES);
  return [...[...columns].slice(0, MOST_COLUMNS), ...(values ? [VALUES] : [])];
};

const draw = (head, body) => {
  const widths = head.map((h, i) => Math.max(h.length, ...body.map((row) => row[i].length)) + 2);
  const line = (left, between, right) => left + widths.map((w) => "─".repeat(w)).join(between) + right;
  const row = (texts) => `│${texts.map((t, i) => ` ${t}`.padEnd(widths[i])).join("│")}│`;
  return [line("┌", "┬", "┐"), row(head), line("├", "┼", "┤"), ...body.map(row), line("└", "┴", "┘")].join("\n");
};

// table is undefined for what has no rows.
export const table = (value, chosen) => {
  if (!isObject(value) || host.isProxy(value)) return undefined;
  const [index, rows] = rowsOf(value);
  const columns = chosen === undefined ? columnsOf(rows) : [...chosen].slice(0, MOST_COLUMNS).map(String);
  const body = rows.map(([name, row]) => {
    const byColumn = new Map(row);
    return [name, ...columns.map((c) => byColumn.get(c) ?? "")];
  });
  return draw([index, ...columns], body);
};
