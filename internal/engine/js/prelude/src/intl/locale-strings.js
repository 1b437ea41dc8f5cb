// toLocaleString and its kin (ECMA-402, section 20).
import { intl } from "./load.js";

const numberValue = Number.prototype.valueOf, bigintValue = BigInt.prototype.valueOf, dateValue = Date.prototype.valueOf;
const { apply } = Reflect;

const define = (prototype, methods) => {
  for (const [name, value] of Object.entries(methods)) {
    Object.defineProperty(prototype, name, { value, writable: true, enumerable: false, configurable: true });
  }
};

const showNumber = (x, locales, options) => new (intl().NumberFormat)(locales, options).format(x);

define(Number.prototype, {
  toLocaleString(locales = undefined, options = undefined) {
    return showNumber(apply(numberValue, this, []), locales, options);
  },
});
define(BigInt.prototype, {
  toLocaleString(locales = undefined, options = undefined) {
    return showNumber(apply(bigintValue, this, []), locales, options);
  },
});

const shown = (list, n, locales, options) => {
  let text = "";
  for (let i = 0; i < n; i++) {
    const item = list[i];
    text += (i > 0 ? "," : "") + (item === undefined || item === null ? "" : `${item.toLocaleString(locales, options)}`);
  }
  return text;
};

const typedArray = Object.getPrototypeOf(Uint8Array.prototype);
const typedLength = Object.getOwnPropertyDescriptor(typedArray, "length").get;
const toLength = (n) => Math.min(Math.max(Math.trunc(n) || 0, 0), Number.MAX_SAFE_INTEGER);

define(Array.prototype, {
  toLocaleString(locales = undefined, options = undefined) {
    if (this === undefined || this === null) throw new TypeError("Array.prototype.toLocaleString: this is no object");
    return shown(this, toLength(this.length), locales, options);
  },
});
define(typedArray, {
  toLocaleString(locales = undefined, options = undefined) { return shown(this, apply(typedLength, this, []), locales, options); },
});

const DATE = ["weekday", "year", "month", "day"], TIME = ["dayPeriod", "hour", "minute", "second", "fractionalSecondDigits"];
const any = (options, names) => names.some((name) => options[name] !== undefined);

// withDefaults adds the parts that are shown when none is asked for (ECMA-402,
// section 11.1.2, steps for required and defaults).
const withDefaults = (options, required, defaults) => {
  if (options === null) throw new TypeError("The options are null");
  options = Object.create(options === undefined ? null : Object(options));
  const { dateStyle, timeStyle } = options;
  const given = (required !== "time" && any(options, DATE)) || (required !== "date" && any(options, TIME));
  if (required === "date" && timeStyle !== undefined) throw new TypeError("A date alone has no timeStyle");
  if (required === "time" && dateStyle !== undefined) throw new TypeError("A time alone has no dateStyle");
  if (given || dateStyle !== undefined || timeStyle !== undefined) return options;
  if (defaults !== "time") for (const part of ["year", "month", "day"]) options[part] = "numeric";
  if (defaults !== "date") for (const part of ["hour", "minute", "second"]) options[part] = "numeric";
  return options;
};

const show = (date, locales, options, required, defaults) => {
  const time = apply(dateValue, date, []);
  const format = new (intl().DateTimeFormat)(locales, withDefaults(options, required, defaults));
  return time === time ? format.format(time) : "Invalid Date";
};

define(Date.prototype, {
  toLocaleString(locales = undefined, options = undefined) { return show(this, locales, options, "any", "all"); },
  toLocaleDateString(locales = undefined, options = undefined) { return show(this, locales, options, "date", "date"); },
  toLocaleTimeString(locales = undefined, options = undefined) { return show(this, locales, options, "time", "time"); },
});
