// Numbers and dates as the customer's language writes them. Amounts come as
// exact decimals and are formatted from their text, not as floating point.

export const formats = ({ locale, currency, digits }) => {
  const money = new Intl.NumberFormat(locale, { style: "currency", currency });
  const plain = new Intl.NumberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const price = new Intl.NumberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: 6 });
  const quantity = new Intl.NumberFormat(locale, { maximumFractionDigits: 3 });
  const date = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short", timeZone: "UTC" });
  return {
    money: (amount) => plainSpaces(money.format(amount.toFixed(digits))),
    amount: (amount) => plainSpaces(plain.format(amount.toFixed(digits))),
    price: (amount) => plainSpaces(price.format(amount.toFixed())),
    quantity: (amount) => plainSpaces(quantity.format(amount.toFixed())),
    date: (time) => plainSpaces(date.format(time)),
  };
};

// Printers know one space.
const plainSpaces = (text) => text.replace(/[\u00a0\u202f]/g, " ");
