// Fractions of two BigInts, always in lowest terms with a positive bottom.
// Nothing is ever rounded, until somebody asks for decimal places.

const FORM = /^([+-]?)(\d+)(?:\.(\d+))?$/;
const MOST_DIGITS = 60;

const abs = (n) => (n < 0n ? -n : n);
const gcd = (a, b) => (b === 0n ? abs(a) : gcd(b, a % b));

export class Rational {
  #top;
  #bottom;

  constructor(top, bottom = 1n) {
    const common = gcd(top, bottom) * (bottom < 0n ? -1n : 1n);
    this.#top = top / common;
    this.#bottom = bottom / common;
  }

  // parse reads a decimal number such as "-12.5", or a fraction of two such
  // as "1852/3600". Throws RangeError.
  static parse(text) {
    const [top, bottom, ...rest] = String(text).split("/");
    if (rest.length > 0) throw new RangeError(`${JSON.stringify(text)} is not a number`);
    const value = Rational.#decimal(top);
    return bottom === undefined ? value : value.div(Rational.#decimal(bottom));
  }

  static #decimal(text) {
    const match = FORM.exec(text);
    if (match === null) throw new RangeError(`${JSON.stringify(text)} is not a number such as 12.5`);
    const [, sign, whole, fraction = ""] = match;
    if (whole.length + fraction.length > MOST_DIGITS) throw new RangeError(`a number may have ${MOST_DIGITS} digits`);
    return new Rational(BigInt(sign + whole + fraction), 10n ** BigInt(fraction.length));
  }

  add(other) { return new Rational(this.#top * other.#bottom + other.#top * this.#bottom, this.#bottom * other.#bottom); }
  sub(other) { return new Rational(this.#top * other.#bottom - other.#top * this.#bottom, this.#bottom * other.#bottom); }
  mul(other) { return new Rational(this.#top * other.#top, this.#bottom * other.#bottom); }

  div(other) {
    if (other.#top === 0n) throw new RangeError("division by zero");
    return new Rational(this.#top * other.#bottom, this.#bottom * other.#top);
  }

  get isNegative() { return this.#top < 0n; }

  // toDecimal writes the number with at most so many decimal places, rounded
  // half to even, without trailing zeros; exact says whether that is all of it.
  toDecimal(places) {
    const scale = 10n ** BigInt(places);
    const top = abs(this.#top) * scale;
    let units = top / this.#bottom;
    const rest = top % this.#bottom;
    const half = rest * 2n - this.#bottom; // negative: below one half
    if (half > 0n || (half === 0n && units % 2n === 1n)) units++;
    const digits = units.toString().padStart(places + 1, "0");
    const fraction = digits.slice(digits.length - places).slice(0, places).replace(/0+$/, "");
    const whole = digits.slice(0, digits.length - places);
    const sign = this.isNegative && units !== 0n ? "-" : "";
    return { text: sign + whole + (fraction && "." + fraction), exact: rest === 0n };
  }
}
