// Intl (ECMA-402), out of FormatJS's polyfills and the data of CLDR that comes
// with them: a bundle of its own, whose parameter host gets intl. See load.js.
import { DateTimeFormat, Locale, NumberFormat, PluralRules } from "./constructors.js";
import "./data.js";
import { parseAll } from "./trim.js";

// What ECMA-402 leaves to the implementation. The time zone is UTC, as it is
// for Date.
for (const type of [DateTimeFormat, NumberFormat, PluralRules]) type.__defaultLocale = "en-US";

// The polyfills' own members do not show.
for (const type of [DateTimeFormat, Locale, NumberFormat, PluralRules]) {
  for (const name of Object.keys(type)) Object.defineProperty(type, name, { enumerable: false });
}

host.intl = { DateTimeFormat, Intl, NumberFormat, parseAll };
