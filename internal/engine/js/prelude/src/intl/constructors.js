// Intl's constructors, which the modules of locale data add to.
//
// They are the polyfills of FormatJS without what those put on other objects.
// They and the data look for each other in the free variable Intl, which is the
// bundle's second parameter: what a program does to its own changes nothing.
import { DateTimeFormat } from "@formatjs/intl-datetimeformat";
import { getCanonicalLocales } from "@formatjs/intl-getcanonicallocales";
import { Locale } from "@formatjs/intl-locale";
import { NumberFormat } from "@formatjs/intl-numberformat";
import { PluralRules } from "@formatjs/intl-pluralrules";

const define = (name, value, writable) => { Object.defineProperty(Intl, name, { value, writable, enumerable: false, configurable: true }); };

const canonical = { getCanonicalLocales(locales) { return getCanonicalLocales(locales); } };
for (const [name, value] of Object.entries({ DateTimeFormat, Locale, NumberFormat, PluralRules, ...canonical })) define(name, value, true);
define(Symbol.toStringTag, "Intl", false);

export { DateTimeFormat, Locale, NumberFormat, PluralRules };
