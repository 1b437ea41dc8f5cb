// The units by kind: each row has its symbol, its name, and how many of the
// kind's first unit it is. All factors are exact by definition: the inch is
// 25.4 mm, the pound 0.45359237 kg (international yard and pound agreement,
// 1959), the US gallon 231 cubic inches, the imperial one 4.54609 l.
//
// A temperature has the zero of its scale besides: kelvin = (t + zero) · factor.

import { Rational } from "./rational.js";

const TABLE = {
  length: [
    ["m", "metre", "1"],
    ["mm", "millimetre", "0.001"],
    ["cm", "centimetre", "0.01"],
    ["km", "kilometre", "1000"],
    ["in", "inch", "0.0254"],
    ["ft", "foot", "0.3048"],
    ["yd", "yard", "0.9144"],
    ["mi", "mile", "1609.344"],
    ["nmi", "nautical mile", "1852"],
  ],
  mass: [
    ["kg", "kilogram", "1"],
    ["mg", "milligram", "0.000001"],
    ["g", "gram", "0.001"],
    ["t", "tonne", "1000"],
    ["oz", "ounce", "0.028349523125"],
    ["lb", "pound", "0.45359237"],
    ["st", "stone", "6.35029318"],
    ["ton", "US ton", "907.18474"],
  ],
  temperature: [
    ["K", "kelvin", "1", "0"],
    ["C", "degree Celsius", "1", "273.15"],
    ["F", "degree Fahrenheit", "5/9", "459.67"],
    ["R", "degree Rankine", "5/9", "0"],
  ],
  volume: [
    ["l", "litre", "1"],
    ["ml", "millilitre", "0.001"],
    ["cl", "centilitre", "0.01"],
    ["m3", "cubic metre", "1000"],
    ["tsp", "US teaspoon", "0.00492892159375"],
    ["tbsp", "US tablespoon", "0.01478676478125"],
    ["floz", "US fluid ounce", "0.0295735295625"],
    ["cup", "US cup", "0.2365882365"],
    ["pt", "US pint", "0.473176473"],
    ["gal", "US gallon", "3.785411784"],
    ["imppt", "imperial pint", "0.56826125"],
    ["impgal", "imperial gallon", "4.54609"],
  ],
  speed: [
    ["m/s", "metre per second", "1"],
    ["km/h", "kilometre per hour", "1000/3600"],
    ["mph", "mile per hour", "1609.344/3600"],
    ["kn", "knot", "1852/3600"],
    ["ft/s", "foot per second", "0.3048"],
  ],
  data: [
    ["B", "byte", "1"],
    ["bit", "bit", "1/8"],
    ["kB", "kilobyte", "1000"],
    ["MB", "megabyte", "1000000"],
    ["GB", "gigabyte", "1000000000"],
    ["TB", "terabyte", "1000000000000"],
    ["KiB", "kibibyte", "1024"],
    ["MiB", "mebibyte", "1048576"],
    ["GiB", "gibibyte", "1073741824"],
    ["TiB", "tebibyte", "1099511627776"],
  ],
};

// UNITS maps a symbol to {symbol, name, kind, factor, zero}.
export const UNITS = new Map(
  Object.entries(TABLE).flatMap(([kind, rows]) =>
    rows.map(([symbol, name, factor, zero = "0"]) => [
      symbol,
      { symbol, name, kind, factor: Rational.parse(factor), zero: Rational.parse(zero) },
    ]),
  ),
);

export const KINDS = Object.keys(TABLE);

// convert takes a Rational from one unit to another of its kind.
export const convert = (value, from, to) => value.add(from.zero).mul(from.factor).div(to.factor).sub(to.zero);
