// ECMA-402, as far as a shop needs it: numbers, prices and dates in English,
// German, French, Chinese and Japanese. What is wanted is what CLDR says.
import { api, equal, ok, throws } from "./check.js";

// CLDR uses several kinds of spaces, and changes its mind about them.
const plain = (text) => text.replace(/[\u00a0\u202f\u2009]/g, " ");
const number = (locale, x, options) => plain(new Intl.NumberFormat(locale, options).format(x));
const euros = (locale, options) => number(locale, -1234567.891, { style: "currency", currency: "EUR", ...options });
const date = (locale, options, x = moment) => plain(new Intl.DateTimeFormat(locale, { timeZone: "UTC", ...options }).format(x));
const moment = new Date(Date.UTC(2024, 0, 5, 21, 7, 9, 45)), summer = new Date(Date.UTC(2024, 6, 15, 3, 4, 5, 6));

// table holds f(key) against each value.
const table = (f, want) => { for (const [key, value] of Object.entries(want)) equal(f(key), value, key); };

api("Intl", {
  "is a member of the global object, not enumerable, with a tag"() {
    const d = Object.getOwnPropertyDescriptor(globalThis, "Intl");
    equal([d.enumerable, d.configurable, Object.prototype.toString.call(Intl)], [false, true, "[object Intl]"]);
    for (const name of ["NumberFormat", "DateTimeFormat", "PluralRules", "Locale", "getCanonicalLocales"]) {
      equal(Object.getOwnPropertyDescriptor(Intl, name).enumerable, false, name);
    }
  },
});

api("Intl.NumberFormat", {
  "groups and separates digits"() {
    table((l) => number(l, -1234567.891), { en: "-1,234,567.891", de: "-1.234.567,891", fr: "-1 234 567,891", zh: "-1,234,567.891", ja: "-1,234,567.891" });
  },
  "puts currencies where they belong"() {
    table((l) => euros(l), { en: "-€1,234,567.89", de: "-1.234.567,89 €", fr: "-1 234 567,89 €", zh: "-€1,234,567.89", ja: "-€1,234,567.89" });
  },
  "knows the fraction digits of currencies"() {
    const price = (currency) => number("en", 1234.5678, { style: "currency", currency });
    table(price, { USD: "$1,234.57", JPY: "¥1,235", KWD: "KWD 1,234.568", CNY: "CN¥1,234.57", GBP: "£1,234.57" });
    equal(number("zh", 5, { style: "currency", currency: "CNY" }), "¥5.00");
    equal(number("ja", 5, { style: "currency", currency: "JPY" }), "￥5");
  },
  "shows currencies by code and name"() {
    equal(euros("de", { currencyDisplay: "code" }), "-1.234.567,89 EUR");
    equal(euros("en", { currencyDisplay: "name" }), "-1,234,567.89 euros");
    equal(number("fr", 1, { style: "currency", currency: "EUR", currencyDisplay: "name" }), "1,00 euro");
    equal(number("en", 1, { style: "currency", currency: "CAD", currencyDisplay: "narrowSymbol" }), "$1.00");
  },
  "shows debts as accountants do"() {
    equal(number("en", -5, { style: "currency", currency: "USD", currencySign: "accounting" }), "($5.00)");
  },
  "shows percentages"() {
    table((l) => number(l, 0.256, { style: "percent", maximumFractionDigits: 1 }), { en: "25.6%", de: "25,6 %", fr: "25,6 %", zh: "25.6%", ja: "25.6%" });
    equal(number("en", 0.256, { style: "percent" }), "26%");
  },
  "shortens large numbers"() {
    const compact = (l, compactDisplay) => number(l, 98765432.1, { notation: "compact", compactDisplay });
    table((l) => compact(l, "short"), { en: "99M", de: "99 Mio.", fr: "99 M", zh: "9877万", ja: "9877万" });
    table((l) => compact(l, "long"), { en: "99 million", de: "99 Millionen", fr: "99 millions" });
    equal(number("en", 1234.5, { notation: "scientific" }), "1.235E3");
    equal(number("en", 12345.6, { notation: "engineering" }), "12.346E3");
  },
  "rounds to digits"() {
    equal(number("en", 1234.5, { maximumSignificantDigits: 3 }), "1,230");
    equal(number("en", 5, { minimumFractionDigits: 2 }), "5.00");
    equal(number("en", 2.5, { maximumFractionDigits: 0 }), "3");
    equal(number("en", -2.5, { maximumFractionDigits: 0 }), "-3");
    equal(number("en", 1.005, { maximumFractionDigits: 2 }), "1.01");
    equal(number("en", 7, { minimumIntegerDigits: 3 }), "007");
    equal(number("en", 1234567, { useGrouping: false }), "1234567");
    equal(number("en", 0.29, { maximumFractionDigits: 1, roundingMode: "floor" }), "0.2");
  },
  "shows signs as asked"() {
    table((signDisplay) => [5, 0, -5].map((x) => number("en", x, { signDisplay })).join(), {
      auto: "5,0,-5", always: "+5,+0,-5", exceptZero: "+5,0,-5", never: "5,0,5",
    });
    equal(number("en", -0), "-0");
  },
  "takes large integers, text, and what is no number"() {
    equal(number("en", 12n ** 20n), "3,833,759,992,447,475,122,176");
    equal(number("en", "1234567890123456789.5"), "1,234,567,890,123,456,789.5");
    equal([number("en", NaN), number("en", Infinity), number("en", "x"), number("en", null), number("en", true)], ["NaN", "∞", "NaN", "0", "1"]);
  },
  "shows units"() {
    equal(number("en", 50, { style: "unit", unit: "kilometer-per-hour" }), "50 km/h");
    equal(number("de", 2, { style: "unit", unit: "liter", unitDisplay: "long" }), "2 Liter");
    throws(() => number("en", 1, { style: "unit" }), TypeError);
    throws(() => number("en", 1, { style: "unit", unit: "parsec" }), RangeError);
  },
  "gives parts"() {
    const parts = new Intl.NumberFormat("de", { style: "currency", currency: "EUR" }).formatToParts(-1234.5);
    equal(parts.map((p) => p.type), ["minusSign", "integer", "group", "integer", "decimal", "fraction", "literal", "currency"]);
    equal(parts.map((p) => p.value).join("").replace("\u00a0", " "), "-1.234,50 €");
  },
  "can be called without new, and format is bound"() {
    ok(Intl.NumberFormat("de") instanceof Intl.NumberFormat);
    const { format } = new Intl.NumberFormat("fr");
    equal([1, 2.5].map((x) => format(x)), ["1", "2,5"]);
  },
  "resolves what it was asked"() {
    const o = new Intl.NumberFormat("de-DE", { style: "currency", currency: "eur" }).resolvedOptions();
    equal([o.locale, o.numberingSystem, o.style, o.currency, o.minimumFractionDigits, o.maximumFractionDigits], ["de-DE", "latn", "currency", "EUR", 2, 2]);
    equal(new Intl.NumberFormat("xx-YY").resolvedOptions().locale, new Intl.NumberFormat().resolvedOptions().locale);
    equal(Intl.NumberFormat.supportedLocalesOf(["de", "en-GB", "ja-JP", "zh-CN", "fr-FR"]), ["de", "en-GB", "ja-JP", "zh-CN", "fr-FR"]);
  },
  "refuses what there is not"() {
    throws(() => new Intl.NumberFormat("en", { style: "currency" }), TypeError);
    throws(() => new Intl.NumberFormat("en", { style: "currency", currency: "EURO" }), RangeError);
    throws(() => new Intl.NumberFormat("en", { maximumFractionDigits: 101 }), RangeError);
    throws(() => new Intl.NumberFormat("en", { style: "money" }), RangeError);
    throws(() => new Intl.NumberFormat("not a locale"), RangeError);
    throws(() => Intl.NumberFormat.prototype.resolvedOptions.call({}), TypeError);
  },
  "shows a range"() {
    const range = new Intl.NumberFormat("en", { style: "currency", currency: "EUR" }).formatRange(3, 5);
    equal(plain(range).replace(/ /g, ""), "€3.00–€5.00");
  },
});

const styles = (l, dateStyle, timeStyle) => date(l, { dateStyle, timeStyle });

api("Intl.DateTimeFormat", {
  "shows dates in every style"() {
    table((s) => styles("en", s), { full: "Friday, January 5, 2024", long: "January 5, 2024", medium: "Jan 5, 2024", short: "1/5/24" });
    table((s) => styles("de", s), { full: "Freitag, 5. Januar 2024", long: "5. Januar 2024", medium: "05.01.2024", short: "05.01.24" });
    table((s) => styles("fr", s), { full: "vendredi 5 janvier 2024", long: "5 janvier 2024", medium: "5 janv. 2024", short: "05/01/2024" });
    table((s) => styles("zh", s), { full: "2024年1月5日星期五", long: "2024年1月5日", medium: "2024年1月5日", short: "2024/1/5" });
    table((s) => styles("ja", s), { full: "2024年1月5日金曜日", long: "2024年1月5日", medium: "2024/01/05", short: "2024/01/05" });
  },
  "shows times in every style"() {
    table((s) => styles("en", undefined, s), { full: "9:07:09 PM Coordinated Universal Time", long: "9:07:09 PM UTC", medium: "9:07:09 PM", short: "9:07 PM" });
    table((l) => styles(l, undefined, "short"), { de: "21:07", fr: "21:07", zh: "21:07", ja: "21:07" });
  },
  "joins dates and times"() {
    table((l) => styles(l, "medium", "short"), { en: "Jan 5, 2024, 9:07 PM", de: "05.01.2024, 21:07", fr: "5 janv. 2024, 21:07", zh: "2024年1月5日 21:07", ja: "2024/01/05 21:07" });
    table((l) => styles(l, "long", "short"), { en: "January 5, 2024 at 9:07 PM", de: "5. Januar 2024 um 21:07", fr: "5 janvier 2024 à 21:07", zh: "2024年1月5日 21:07" });
    equal(styles("en-GB", "short", "short"), "05/01/2024, 21:07");
  },
  "shows a date when nothing is asked for"() {
    table((l) => date(l), { en: "1/5/2024", "en-GB": "05/01/2024", de: "5.1.2024", fr: "05/01/2024", zh: "2024/1/5", ja: "2024/1/5" });
  },
  "shows the parts that are asked for"() {
    const long = { year: "numeric", month: "long", day: "numeric" };
    table((l) => date(l, long), { en: "January 5, 2024", de: "5. Januar 2024", fr: "5 janvier 2024", zh: "2024年1月5日", ja: "2024年1月5日" });
    equal(date("en", { weekday: "long" }), "Friday");
    equal(date("de", { month: "long" }), "Januar");
    equal(date("en", { year: "numeric", month: "long" }), "January 2024");
    equal(date("en", { year: "2-digit", month: "2-digit", day: "2-digit" }), "01/05/24");
    equal(date("de", { weekday: "short", day: "numeric", month: "short" }), "Fr., 5. Jan.");
    equal(date("en", { minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3 }), "07:09.045");
  },
  "shows hours in either way"() {
    equal(date("en", { hour: "numeric", minute: "2-digit" }), "9:07 PM");
    equal(date("en", { hour: "2-digit", minute: "2-digit", hour12: false }), "21:07");
    equal(date("de", { hour: "numeric", minute: "2-digit", hour12: true }), "9:07 PM");
    equal(date("en", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }, new Date(0)), "00:00");
  },
  "knows time zones and their summer time"() {
    const at = (timeZone, x) => date("de", { timeZone, dateStyle: "short", timeStyle: "short" }, x);
    equal([at("Europe/Berlin"), at("Europe/Berlin", summer)], ["05.01.24, 22:07", "15.07.24, 05:04"]);
    equal([at("America/New_York"), at("America/New_York", summer)], ["05.01.24, 16:07", "14.07.24, 23:04"]);
    equal([at("Asia/Tokyo"), at("Asia/Shanghai"), at("Asia/Kolkata")], ["06.01.24, 06:07", "06.01.24, 05:07", "06.01.24, 02:37"]);
    const night = [0, 1].map((h) => date("de", { timeZone: "Europe/Berlin", timeStyle: "long" }, new Date(Date.UTC(2024, 2, 31, h, 30))));
    equal(night, ["01:30:00 MEZ", "03:30:00 MESZ"]);
  },
  "takes time zones in any case, and their other names"() {
    equal(new Intl.DateTimeFormat("en", { timeZone: "europe/berlin" }).resolvedOptions().timeZone, "Europe/Berlin");
    equal(date("en", { timeZone: "US/Eastern", timeStyle: "short" }), "4:07 PM");
    equal(date("en", { timeZone: "+05:30", timeStyle: "short" }), "2:37 AM");
    equal(date("en-GB", { timeZone: "Europe/Berlin", dateStyle: "short", timeStyle: "short" }, Date.UTC(2050, 6, 1)), "01/07/2050, 02:00");
    throws(() => new Intl.DateTimeFormat("en", { timeZone: "Mars/Phobos" }), RangeError);
  },
  "names time zones"() {
    equal(date("en", { timeZone: "Europe/Berlin", timeStyle: "long" }), "10:07:09 PM GMT+1");
    equal(date("de", { timeZone: "America/New_York", timeStyle: "full" }), "16:07:09 Nordamerikanische Ostküsten-Normalzeit");
  },
  "gives parts"() {
    const parts = new Intl.DateTimeFormat("en", { timeZone: "UTC", dateStyle: "long", timeStyle: "short" }).formatToParts(moment);
    equal(parts.map((p) => p.type), ["month", "literal", "day", "literal", "year", "literal", "hour", "literal", "minute", "literal", "dayPeriod"]);
    equal(parts.filter((p) => p.type !== "literal").map((p) => p.value), ["January", "5", "2024", "9", "07", "PM"]);
  },
  "shows a range"() {
    const range = new Intl.DateTimeFormat("de", { timeZone: "UTC", dateStyle: "long" });
    equal(plain(range.formatRange(moment, moment)), "5. Januar 2024");
    ok(/^5\. Januar.* – 15\. Juli 2024$/.test(plain(range.formatRange(moment, summer))));
  },
  "takes numbers, and now when there is nothing"() {
    equal(date("en", {}, 0), "1/1/1970");
    equal(date("en", { year: "numeric" }, Date.UTC(1, 0).valueOf()), "1901");
    equal(new Intl.DateTimeFormat("en", { year: "numeric", timeZone: "UTC" }).format(), String(new Date().getUTCFullYear()));
    throws(() => new Intl.DateTimeFormat("en").format(NaN), RangeError);
  },
  "resolves what it was asked"() {
    const o = new Intl.DateTimeFormat("de-DE", { dateStyle: "full", timeZone: "UTC" }).resolvedOptions();
    equal([o.locale, o.calendar, o.numberingSystem, o.timeZone, o.dateStyle], ["de-DE", "gregory", "latn", "UTC", "full"]);
    ok(typeof new Intl.DateTimeFormat().resolvedOptions().timeZone === "string");
  },
  "refuses styles together with parts"() {
    throws(() => new Intl.DateTimeFormat("en", { dateStyle: "full", year: "numeric" }), TypeError);
    throws(() => new Intl.DateTimeFormat("en", { dateStyle: "huge" }), RangeError);
    throws(() => Intl.DateTimeFormat.prototype.formatToParts.call({}, 0), TypeError);
  },
  "can be called without new, and format is bound"() {
    ok(Intl.DateTimeFormat("de") instanceof Intl.DateTimeFormat);
    const { format } = new Intl.DateTimeFormat("de", { timeZone: "UTC" });
    equal([0, 864e5].map((x) => format(x)), ["1.1.1970", "2.1.1970"]);
  },
});

api("Intl.PluralRules", {
  "tells one from many, by language"() {
    const select = (l, type) => [0, 1, 2, 3, 11, 21, 1.5].map((x) => new Intl.PluralRules(l, { type }).select(x)).join();
    equal(select("en"), "other,one,other,other,other,other,other");
    equal(select("en", "ordinal"), "other,one,two,few,other,one,other");
    equal(select("fr"), "one,one,other,other,other,other,one");
    equal(select("ja"), "other,other,other,other,other,other,other");
  },
  "lists its categories, and needs new"() {
    equal(new Intl.PluralRules("en", { type: "ordinal" }).resolvedOptions().pluralCategories.toSorted(), ["few", "one", "other", "two"]);
    throws(() => Intl.PluralRules("en"), TypeError);
  },
});

api("Intl.getCanonicalLocales", {
  "writes tags as they should be"() {
    equal(Intl.getCanonicalLocales(["EN-us", "zh-hans-cn", "de-de-u-co-phonebk", "iw"]), ["en-US", "zh-Hans-CN", "de-DE-u-co-phonebk", "he"]);
    equal(Intl.getCanonicalLocales("en-us"), ["en-US"]);
    equal(Intl.getCanonicalLocales(["de", "DE"]), ["de"]);
    equal(Intl.getCanonicalLocales(undefined), []);
  },
  "refuses what is no tag"() {
    for (const tag of ["a", "en_US", "", "en-", "x".repeat(9)]) throws(() => Intl.getCanonicalLocales(tag), RangeError);
    throws(() => Intl.getCanonicalLocales([5]), TypeError);
    throws(() => Intl.getCanonicalLocales(null), TypeError);
  },
});

api("Intl.Locale", {
  "takes a tag apart, and options over it"() {
    const l = new Intl.Locale("zh-Hant-TW-u-nu-hanidec", { hourCycle: "h12" });
    equal([l.language, l.script, l.region, l.numberingSystem, l.hourCycle, l.baseName], ["zh", "Hant", "TW", "hanidec", "h12", "zh-Hant-TW"]);
    equal(`${l}`, "zh-Hant-TW-u-hc-h12-nu-hanidec");
  },
  "adds and removes what is likely"() {
    equal([`${new Intl.Locale("zh").maximize()}`, `${new Intl.Locale("en-Latn-US").minimize()}`], ["zh-Hans-CN", "en"]);
  },
  "can be given for a tag"() {
    equal(number(new Intl.Locale("de"), 1.5), "1,5");
    throws(() => new Intl.Locale("not a locale"), RangeError);
    throws(() => new Intl.Locale(), TypeError);
  },
});

api("Number.prototype.toLocaleString", {
  "shows numbers by locale"() {
    equal([(1234.5).toLocaleString("de"), (1234.5).toLocaleString(), plain((5).toLocaleString("fr", { style: "currency", currency: "EUR" }))], ["1.234,5", "1,234.5", "5,00 €"]);
  },
  "is what arrays show their elements by"() {
    equal([1234.5, null, undefined, [2.5]].toLocaleString("de"), "1.234,5,,,2,5");
    equal(new Float64Array([1.5, 2]).toLocaleString("fr"), "1,5,2");
    equal([].toLocaleString(), "");
  },
  "wants a number"() {
    throws(() => Number.prototype.toLocaleString.call("1"), TypeError);
    throws(() => (1).toLocaleString("en", { style: "currency", currency: "E" }), RangeError);
  },
});

api("BigInt.prototype.toLocaleString", {
  "shows integers by locale"() {
    equal([(10n ** 20n).toLocaleString("de"), 1234567n.toLocaleString("en")], ["100.000.000.000.000.000.000", "1,234,567"]);
    throws(() => BigInt.prototype.toLocaleString.call(1), TypeError);
  },
});

api("Date.prototype.toLocaleString", {
  "shows date and time"() {
    const utc = { timeZone: "UTC" };
    table((l) => plain(moment.toLocaleString(l, utc)), {
      en: "1/5/2024, 9:07:09 PM", de: "5.1.2024, 21:07:09", fr: "05/01/2024 21:07:09", zh: "2024/1/5 21:07:09", ja: "2024/1/5 21:07:09",
    });
    equal(moment.toLocaleString("de", { ...utc, month: "long" }), "Januar");
  },
  "says when there is no date, and wants a Date"() {
    equal(new Date(NaN).toLocaleString("en"), "Invalid Date");
    throws(() => Date.prototype.toLocaleString.call({}), TypeError);
    throws(() => moment.toLocaleString("not a locale"), RangeError);
    throws(() => moment.toLocaleString("en", { timeZone: "nowhere" }), RangeError);
  },
});

api("Date.prototype.toLocaleDateString", {
  "shows the date"() {
    table((l) => moment.toLocaleDateString(l, { timeZone: "UTC" }), { en: "1/5/2024", de: "5.1.2024", fr: "05/01/2024", zh: "2024/1/5", ja: "2024/1/5" });
    equal(plain(moment.toLocaleDateString("en", { timeZone: "UTC", hour: "numeric" })), "1/5/2024, 9 PM");
  },
  "has no style of the time": () => { throws(() => moment.toLocaleDateString("en", { timeStyle: "full" }), TypeError); },
});

api("Date.prototype.toLocaleTimeString", {
  "shows the time"() {
    table((l) => plain(moment.toLocaleTimeString(l, { timeZone: "UTC" })), { en: "9:07:09 PM", de: "21:07:09", fr: "21:07:09", zh: "21:07:09", ja: "21:07:09" });
    equal(moment.toLocaleTimeString("de", { timeZone: "UTC", timeStyle: "short" }), "21:07");
  },
  "has no style of the date": () => { throws(() => moment.toLocaleTimeString("en", { dateStyle: "full" }), TypeError); },
});
