// A unit converter that does not round until it prints.

import { Rational } from "./rational.js";
import { KINDS, UNITS, convert as exactly } from "./units.js";

const MOST_PLACES = 50;

// convert: {value, from, to, places?} → {value, unit, exact}. value may be a
// string or a number; places is how many decimal places the result may have.
export function convert(input) {
  const { value, from, to, places = 10 } = anObject(input);
  if (!Number.isInteger(places) || places < 0 || places > MOST_PLACES) {
    throw new RangeError(`places must be a whole number from 0 to ${MOST_PLACES}`);
  }
  const [source, target] = [unit("from", from), unit("to", to)];
  if (source.kind !== target.kind) {
    throw new TypeError(`${source.symbol} is a ${source.kind} and ${target.symbol} is a ${target.kind}`);
  }
  const amount = number(value);
  if (source.kind === "temperature" && amount.add(source.zero).isNegative) {
    throw new RangeError(`${value} ${source.symbol} is below absolute zero`);
  }
  const { text, exact } = exactly(amount, source, target).toDecimal(places);
  return { value: text, unit: target.symbol, exact };
}

// units: {kind?} or nothing → the units, all of them or those of one kind.
export function units(input = {}) {
  const { kind } = anObject(input);
  if (kind !== undefined && !KINDS.includes(kind)) throw new RangeError(`kind must be one of ${KINDS.join(", ")}`);
  return [...UNITS.values()]
    .filter((unit) => kind === undefined || unit.kind === kind)
    .map(({ symbol, name, kind }) => ({ symbol, name, kind }));
}

function anObject(input) {
  if (input === null || typeof input !== "object" || Array.isArray(input)) {
    throw new TypeError('the input must be an object such as {"value": "26.2", "from": "mi", "to": "km"}');
  }
  return input;
}

function unit(member, symbol) {
  const found = UNITS.get(symbol);
  if (found === undefined) throw new RangeError(`${member}: there is no unit ${JSON.stringify(symbol)}; call units for all of them`);
  return found;
}

function number(value) {
  if (typeof value !== "string" && typeof value !== "number") throw new TypeError('value must be a string or a number such as "26.2"');
  return Rational.parse(value);
}
