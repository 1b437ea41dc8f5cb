// Numbers and dates as the customer's language writes them. Amounts come as
// exact decimals and are formatted from their text, not as floating point.

export const formats = ({ locale, currency, digits }) => {
  const money = new Intl.NumberFormat(locale, { style: "currency", currency });
  const plain = new Intl.NumberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const price = new Intl.NumberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: 6 });
  const quantity = new Intl.NumberFormat(locale, { maximumFractionDigits: 3 });
  const date = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short", timeZone: "UTC" });
  return {
    money: (amount) => money.format(amount.toFixed(digits)),
    amount: (amount) => plain.format(amount.toFixed(digits)),
    price: (amount) => price.format(amount.toFixed()),
    quantity: (amount) => quantity.format(amount.toFixed()),
    date: (time) => date.format(time),
  };
};
