// What a sale comes to. Prices include their tax, as they do on shelves; every
// amount that is printed is rounded to the currency's smallest coin, half up.

import Big from "big.js";

const HUNDRED = new Big(100), ZERO = new Big(0);

const priceOf = ({ quantity, unitPrice, discount }, digits) =>
  unitPrice.times(quantity).times(HUNDRED.minus(discount)).div(HUNDRED).round(digits, Big.roundHalfUp);

// taxes are { rate, gross, net, tax } for each rate, the lowest first.
const taxes = (lines, digits) => {
  const byRate = Map.groupBy(lines, ({ taxRate }) => taxRate.toFixed());
  return [...byRate.values()].map((group) => {
    const rate = group[0].taxRate, gross = group.reduce((sum, { amount }) => sum.plus(amount), ZERO);
    const net = gross.times(HUNDRED).div(HUNDRED.plus(rate)).round(digits, Big.roundHalfUp);
    return { rate, gross, net, tax: gross.minus(net) };
  }).sort((a, b) => a.rate.cmp(b.rate));
};

// account returns each item's amount, their total, what is tax in it, and the
// change if somebody paid in cash.
export const account = ({ items, digits, payment }) => {
  const lines = items.map((item) => ({ ...item, amount: priceOf(item, digits) }));
  const total = lines.reduce((sum, { amount }) => sum.plus(amount), ZERO);
  return { lines, total, taxes: taxes(lines, digits), change: payment?.given?.minus(total) };
};
