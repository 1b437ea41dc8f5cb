// Decimal numbers without error: a BigInt of units and how many decimal places
// they have. Only division and rounding lose digits, and both say how many they
// keep; they round half to even, as banks do, so that errors do not add up.

const FORM = /^([+-]?)(\d+)(?:\.(\d+))?$/;
const MOST_DIGITS = 40;

export class Decimal {
  #units;
  #places;

  constructor(units, places = 0) {
    this.#units = BigInt(units);
    this.#places = places;
  }

  // parse reads a string such as "-12.50". A number is read as it prints.
  static parse(text) {
    const match = FORM.exec(String(text));
    if (match === null) throw new RangeError(`${JSON.stringify(text)} is not a decimal number such as 1234.56`);
    const [, sign, whole, fraction = ""] = match;
    if (whole.length + fraction.length > MOST_DIGITS) throw new RangeError(`a number may have ${MOST_DIGITS} digits`);
    return new Decimal(BigInt(sign + whole + fraction), fraction.length);
  }

  // at gives the units that this has with more places.
  #at(places) {
    return this.#units * 10n ** BigInt(places - this.#places);
  }

  #both(other, f) {
    const places = Math.max(this.#places, other.#places);
    return f(this.#at(places), other.#at(places), places);
  }

  add(other) { return this.#both(other, (a, b, places) => new Decimal(a + b, places)); }
  sub(other) { return this.#both(other, (a, b, places) => new Decimal(a - b, places)); }
  mul(other) { return new Decimal(this.#units * other.#units, this.#places + other.#places); }
  compare(other) { return this.#both(other, (a, b) => (a < b ? -1 : a > b ? 1 : 0)); }

  // pow raises to a whole power, by squaring.
  pow(exponent) {
    let result = new Decimal(1);
    let square = this;
    for (let n = exponent; n > 0; n = Math.floor(n / 2)) {
      if (n % 2 === 1) result = result.mul(square);
      square = square.mul(square);
    }
    return result;
  }

  // div divides and rounds to places.
  div(other, places) {
    if (other.#units === 0n) throw new RangeError("division by zero");
    const shift = places + other.#places - this.#places;
    const top = this.#units * 10n ** BigInt(Math.max(shift, 0));
    const bottom = other.#units * 10n ** BigInt(Math.max(-shift, 0));
    return new Decimal(divideHalfEven(top, bottom), places);
  }

  round(places) {
    return places >= this.#places ? new Decimal(this.#at(places), places) : this.div(new Decimal(1), places);
  }

  get isZero() { return this.#units === 0n; }
  get isNegative() { return this.#units < 0n; }
  get places() { return this.#places; }

  toString() {
    const digits = abs(this.#units).toString().padStart(this.#places + 1, "0");
    const point = digits.length - this.#places;
    const sign = this.isNegative ? "-" : "";
    return sign + digits.slice(0, point) + (this.#places > 0 ? "." + digits.slice(point) : "");
  }

  // In JSON a decimal is a string: a JSON number may lose its digits.
  toJSON() { return this.toString(); }
}

export const ZERO = new Decimal(0);

export const min = (a, b) => (a.compare(b) <= 0 ? a : b);

const abs = (n) => (n < 0n ? -n : n);

function divideHalfEven(top, bottom) {
  const quotient = top / bottom; // towards zero
  const rest = abs(top % bottom) * 2n;
  const size = abs(bottom);
  const away = rest > size || (rest === size && quotient % 2n !== 0n);
  if (!away) return quotient;
  return quotient + ((top < 0n) === (bottom < 0n) ? 1n : -1n);
}
