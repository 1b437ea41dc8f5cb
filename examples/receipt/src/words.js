// What stands on a receipt, in the languages that this program speaks.

const table = {
  en: { number: "Receipt", total: "TOTAL", tax: "incl. tax", net: "net", cash: "Cash", card: "Card", change: "Change", taxId: "Tax no.", thanks: "Thank you for your purchase" },
  de: { number: "Beleg", total: "SUMME", tax: "enth. MwSt", net: "netto", cash: "Bar", card: "Karte", change: "Rückgeld", taxId: "USt-IdNr.", thanks: "Vielen Dank für Ihren Einkauf" },
  fr: { number: "Ticket", total: "TOTAL", tax: "dont TVA", net: "HT", cash: "Espèces", card: "Carte", change: "Rendu", taxId: "N° TVA", thanks: "Merci de votre visite" },
  zh: { number: "小票", total: "合计", tax: "含税", net: "不含税", cash: "现金", card: "银行卡", change: "找零", taxId: "税号", thanks: "谢谢惠顾" },
  ja: { number: "レシート", total: "合計", tax: "内税", net: "税抜", cash: "現金", card: "カード", change: "お釣り", taxId: "登録番号", thanks: "お買い上げありがとうございます" },
};

export const languages = Object.keys(table);

export const words = (locale) => table[locale.slice(0, 2)];
