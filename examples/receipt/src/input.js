// What callers send, checked. Every complaint names the member and says what
// it should be.

import Big from "big.js";
import { languages } from "./words.js";

const MOST_ITEMS = 500, MOST_TEXT = 200, MOST_LINK = 1000;
const MOST_AMOUNT = new Big("1e9");

export class InputError extends Error {
  name = "InputError";
}

const example = '{"items": [{"name": "Tea", "unitPrice": "2.50"}], "currency": "EUR", "locale": "en"}';

const object = (value, name, members) => {
  if (value === null || typeof value !== "object" || Array.isArray(value)) throw new InputError(`${name} must be an object such as ${example}`);
  const stranger = Object.keys(value).find((key) => !members.includes(key));
  if (stranger !== undefined) throw new InputError(`${stranger} is not known in ${name}: there are ${members.join(", ")}`);
  return value;
};

// What cannot be printed, or turns the direction of what follows, becomes a space.
const unprintable = /[\p{Cc}\p{Cs}\p{Co}\p{Cn}\u2028-\u202e\u2066-\u2069\ufeff]+/gu;

const text = (value, name, most = MOST_TEXT) => {
  if (typeof value !== "string") throw new InputError(`${name} must be a string`);
  const clean = value.replace(unprintable, " ").trim();
  if (clean === "" || clean.length > most) throw new InputError(`${name} must have 1 to ${most} characters that can be printed`);
  return clean;
};

const optional = (value, read) => (value === undefined ? undefined : read(value));

const decimal = (value, name, { least = "0", most = MOST_AMOUNT, places = 6 } = {}) => {
  if (typeof value !== "string" && typeof value !== "number") throw new InputError(`${name} must be a number or a string such as "2.50"`);
  if (!/^-?\d{1,12}(\.\d{1,12})?$/.test(String(value))) throw new InputError(`${name}: ${JSON.stringify(String(value).slice(0, 40))} is not a decimal number`);
  const number = new Big(value);
  if (number.lt(least) || number.gt(most)) throw new InputError(`${name} must be from ${least} to ${new Big(most).toFixed()}`);
  if (!number.round(places).eq(number)) throw new InputError(`${name} may have ${places} decimal places`);
  return number;
};

const ITEM = ["name", "quantity", "unitPrice", "taxRate", "discount"];

const item = (value, i) => {
  const at = (name) => `items[${i}].${name}`, { name, quantity = 1, unitPrice, taxRate = 0, discount = 0 } = object(value, `items[${i}]`, ITEM);
  return {
    name: text(name, at("name")),
    quantity: decimal(quantity, at("quantity"), { least: "0.001", most: 100000, places: 3 }),
    unitPrice: decimal(unitPrice, at("unitPrice"), { least: "-1000000000" }),
    taxRate: decimal(taxRate, at("taxRate"), { most: 100, places: 3 }),
    discount: decimal(discount, at("discount"), { most: 100, places: 2 }),
  };
};

const items = (value) => {
  if (!Array.isArray(value) || value.length === 0 || value.length > MOST_ITEMS) throw new InputError(`items must be an array of 1 to ${MOST_ITEMS} items`);
  return value.map(item);
};

const shop = (value = { name: "" }) => {
  const { name, address = [], taxId } = object(value, "shop", ["name", "address", "taxId"]);
  if (!Array.isArray(address) || address.length > 6) throw new InputError("shop.address must be an array of at most 6 lines");
  return {
    name: name === "" ? "" : text(name, "shop.name"),
    address: address.map((line, i) => text(line, `shop.address[${i}]`)),
    taxId: optional(taxId, (id) => text(id, "shop.taxId")),
  };
};

const payment = (value) => {
  const { method, given } = object(value, "payment", ["method", "given"]);
  if (method !== "cash" && method !== "card") throw new InputError('payment.method must be "cash" or "card"');
  return { method, given: optional(given, (amount) => decimal(amount, "payment.given")) };
};

const locale = (value) => {
  if (typeof value !== "string" || !/^[a-z]{2}(-[A-Za-z0-9]{2,8})*$/.test(value) || !languages.includes(value.slice(0, 2))) {
    throw new InputError(`locale must be one of ${languages.join(", ")}, with a region if you like: "de-AT"`);
  }
  return value;
};

const currency = (value) => {
  if (typeof value !== "string" || !/^[A-Z]{3}$/.test(value)) throw new InputError('currency must be three letters such as "EUR"');
  return value;
};

const date = (value) => {
  const time = typeof value === "string" && /^\d{4}-\d{2}-\d{2}T/.test(value) ? new Date(value) : NaN;
  if (Number.isNaN(+time)) throw new InputError('date must be a time such as "2026-03-01T12:30:00Z"');
  return time;
};

const width = (value) => {
  if (!Number.isInteger(value) || value < 32 || value > 80) throw new InputError("width must be a whole number from 32 to 80");
  return value;
};

// digitsOf is how many digits the currency's smallest coin has behind the point.
const digitsOf = (sale) => new Intl.NumberFormat(sale.locale, { style: "currency", currency: sale.currency }).resolvedOptions().maximumFractionDigits;

const SALE = ["items", "currency", "locale", "shop", "number", "date", "payment", "link", "width"];

// readSale returns the sale with what was left out filled in.
export const readSale = (input) => {
  const given = object(input, "the input", SALE);
  const sale = {
    items: items(given.items), currency: currency(given.currency), locale: locale(given.locale), shop: shop(given.shop),
    number: optional(given.number, (value) => text(value, "number", 40)),
    date: optional(given.date, date),
    payment: optional(given.payment, payment),
    link: optional(given.link, (value) => text(value, "link", MOST_LINK)),
    width: width(given.width ?? 42),
  };
  return { ...sale, digits: digitsOf(sale) };
};
