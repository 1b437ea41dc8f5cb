// The arithmetic of an annuity loan: equal monthly instalments, interest on
// what is still owed, a year's rate divided by twelve. Every amount that
// somebody pays is rounded to cents; everything before that is exact.

import { Decimal, ZERO, min } from "./decimal.js";

const CENTS = 2;
const PERCENT_MONTHS = new Decimal(1200); // a yearly percentage to a monthly rate

// monthlyPayment is P·i·qⁿ / (qⁿ − 1) with i = rate/1200 and q = 1 + i. Both
// sides of the fraction are multiplied by 1200ⁿ⁺¹, which leaves one division.
export function monthlyPayment({ principal, rate, months }) {
  if (rate.isZero) return principal.div(new Decimal(months), CENTS);
  const growth = PERCENT_MONTHS.add(rate).pow(months);
  const top = principal.mul(rate).mul(growth);
  const bottom = PERCENT_MONTHS.mul(growth.sub(PERCENT_MONTHS.pow(months)));
  return top.div(bottom, CENTS);
}

// instalments yields the months of a loan until nothing is owed. Rounding can
// end it early by itself; otherwise the instalment of the last month pays
// whatever is left, a few cents more or less.
//
// extra(month) is what is paid on top, and payment is the new instalment from
// the next month on, when recast asks for one.
export function* instalments(loan, { extra = () => ZERO, recast = false } = {}) {
  let balance = loan.principal.round(CENTS);
  let payment = monthlyPayment(loan);
  for (let month = 1; !balance.isZero; month++) {
    const interest = balance.mul(loan.rate).div(PERCENT_MONTHS, CENTS);
    const owed = balance.add(interest);
    const paid = month >= loan.months ? owed : min(payment, owed);
    balance = owed.sub(paid);
    const repaid = min(extra(month).round(CENTS), balance);
    balance = balance.sub(repaid);
    yield { month, payment: paid, interest, principal: paid.sub(interest), extra: repaid, balance };
    if (recast && !repaid.isZero && month < loan.months) {
      payment = monthlyPayment({ principal: balance, rate: loan.rate, months: loan.months - month });
    }
  }
}

const sum = (list, member) => list.reduce((total, item) => total.add(item[member]), ZERO.round(CENTS));

// totals sums up a table of instalments.
export function totals(table) {
  const interest = sum(table, "interest");
  return { months: table.length, totalPaid: sum(table, "payment").add(sum(table, "extra")), totalInterest: interest };
}
