// A loan calculator. Each exported function takes one JSON object and returns
// one; amounts in results are strings, for JSON's numbers lose digits.

import { ZERO } from "./decimal.js";
import { readLoan, readRepayment } from "./input.js";
import { instalments, monthlyPayment, totals } from "./loan.js";

const NOTHING = ZERO.round(2);

// payment: {principal, rate, months} → the monthly payment and what the loan
// costs. rate is in per cent a year.
export function payment(input) {
  const loan = readLoan(input);
  console.info(`a loan of ${loan.principal} at ${loan.rate} % over ${loan.months} months`);
  const { months, totalPaid, totalInterest } = totals([...instalments(loan)]);
  return { monthlyPayment: monthlyPayment(loan), months, totalPaid, totalInterest };
}

export { payment as monthlyPayment };

// schedule: the same input → the amortisation table, a row a month.
export function schedule(input) {
  const loan = readLoan(input);
  const table = [...instalments(loan)];
  const rows = table.map(({ extra, ...row }) => row);
  return { monthlyPayment: monthlyPayment(loan), ...totals(table), rows };
}

// earlyRepayment: with amount, after (a month) and reduce ("term" or
// "payment") → what repaying early saves.
export function earlyRepayment(input) {
  const { loan, amount, after, reduce } = readRepayment(input);
  const before = totals([...instalments(loan)]);
  const extra = (month) => (month === after ? amount : ZERO);
  const table = [...instalments(loan, { extra, recast: reduce === "payment" })];
  const now = totals(table);
  const next = table[after]; // the month after the repayment, if there is one
  return {
    monthlyPayment: monthlyPayment(loan),
    monthlyPaymentAfter: next?.payment ?? NOTHING,
    repaid: table[after - 1]?.extra ?? NOTHING,
    balance: table[after - 1]?.balance ?? NOTHING,
    months: now.months,
    monthsSaved: before.months - now.months,
    totalInterest: now.totalInterest,
    interestSaved: before.totalInterest.sub(now.totalInterest),
  };
}
