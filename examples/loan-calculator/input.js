// What callers send, checked. Every complaint names the member and says what
// it should be.

import { Decimal, ZERO } from "./decimal.js";
import { monthlyPayment } from "./loan.js";

const MOST_PRINCIPAL = Decimal.parse("1000000000000"); // 10¹²
const MOST_RATE = new Decimal(1000);
const MOST_MONTHS = 1200;
const MOST_RATE_PLACES = 8;

export class InputError extends Error {
  name = "InputError";
}

function decimal(input, name, example) {
  const value = input[name];
  if (value === undefined) throw new InputError(`${name} is missing: give a number such as ${example}`);
  if (typeof value !== "string" && typeof value !== "number") {
    throw new InputError(`${name} must be a string or a number such as ${example}`);
  }
  try {
    return Decimal.parse(value);
  } catch (error) {
    throw new InputError(`${name}: ${error.message}`, { cause: error });
  }
}

function money(input, name) {
  const value = decimal(input, name, '"250000.00"');
  if (value.places > 2) throw new InputError(`${name} has fractions of a cent`);
  if (value.compare(ZERO) <= 0) throw new InputError(`${name} must be more than zero`);
  if (value.compare(MOST_PRINCIPAL) > 0) throw new InputError(`${name} must be at most ${MOST_PRINCIPAL}`);
  return value;
}

function rate(input) {
  const value = decimal(input, "rate", '"4.2" (per cent a year)');
  if (value.isNegative || value.compare(MOST_RATE) > 0) throw new InputError(`rate must be between 0 and ${MOST_RATE} per cent a year`);
  if (value.places > MOST_RATE_PLACES) throw new InputError(`rate may have ${MOST_RATE_PLACES} decimal places`);
  return value;
}

function month(input, name, most) {
  const value = input[name];
  if (value === undefined) throw new InputError(`${name} is missing: give a whole number from 1 to ${most}`);
  const text = String(value);
  if ((typeof value !== "string" && typeof value !== "number") || !/^\d{1,4}$/.test(text) || +text < 1 || +text > most) {
    throw new InputError(`${name} must be a whole number from 1 to ${most}`);
  }
  return +text;
}

function onlyKnown(input, names) {
  if (input === null || typeof input !== "object" || Array.isArray(input)) {
    throw new InputError('the input must be an object such as {"principal": "250000", "rate": "4.2", "months": 360}');
  }
  const stranger = Object.keys(input).find((name) => !names.includes(name));
  if (stranger !== undefined) throw new InputError(`${stranger} is not known: there are ${names.join(", ")}`);
}

const LOAN = ["principal", "rate", "months"];

export function readLoan(input, more = []) {
  onlyKnown(input, [...LOAN, ...more]);
  const loan = { principal: money(input, "principal"), rate: rate(input), months: month(input, "months", MOST_MONTHS) };
  if (monthlyPayment(loan).isZero) {
    throw new InputError("the principal is too small for so many months: an instalment would be less than a cent");
  }
  return loan;
}

// readRepayment reads a loan with what is repaid early: amount, after which
// month, and what then gets smaller: the "term" (if not said) or the "payment".
export function readRepayment(input) {
  const loan = readLoan(input, ["amount", "after", "reduce"]);
  const { reduce = "term" } = input;
  if (reduce !== "term" && reduce !== "payment") throw new InputError('reduce must be "term" or "payment"');
  return { loan, amount: money(input, "amount"), after: month(input, "after", loan.months), reduce };
}
