// What the template of the text shows: every figure formatted.

const detail = ({ quantity, unitPrice, discount }, format) => {
  const parts = quantity.eq(1) ? [] : [`${format.quantity(quantity)} × ${format.price(unitPrice)}`];
  if (discount.gt(0)) parts.push(`-${format.quantity(discount)} %`);
  return parts.join("  ");
};

const taxLine = ({ rate, gross, net, tax }, format, words) => ({
  label: `${words.tax} ${format.quantity(rate)} % (${words.net} ${format.amount(net)})`,
  amount: format.amount(tax),
});

// paid is what the customer handed over, and what came back.
const paid = ({ payment }, { total, change }, format, words) => {
  if (payment === undefined) return [];
  const rows = [{ label: words[payment.method], amount: format.amount(payment.given ?? total) }];
  if (change?.gt(0)) rows.push({ label: words.change, amount: format.amount(change) });
  return rows;
};

export const view = (sale, sums, format, words) => ({
  words,
  header: [sale.shop.name.toUpperCase(), ...sale.shop.address, sale.shop.taxId && `${words.taxId} ${sale.shop.taxId}`].filter(Boolean),
  number: sale.number === undefined ? "" : `${words.number} ${sale.number}`,
  date: sale.date === undefined ? "" : format.date(sale.date),
  items: sums.lines.map((line) => ({ name: line.name, amount: format.amount(line.amount), detail: detail(line, format) })),
  total: format.money(sums.total),
  paid: paid(sale, sums, format, words),
  taxes: sums.taxes.filter(({ rate }) => rate.gt(0)).map((tax) => taxLine(tax, format, words)),
});
