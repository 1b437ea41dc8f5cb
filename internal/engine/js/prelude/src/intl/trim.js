// Less locale data for DateTimeFormat, and what it lacks.
//
// FormatJS's tables have each form of a date with each form of a time: many of
// them twice, and most with eras or periods of the day. Parsed, they and the
// forms of ranges take 6 MB a language. So what is twice is left out, and so is
// what hardly anybody asks for; ranges are shown as their ends.
import { DateTimeFormat } from "./constructors.js";

const hasDateAndTime = (skeleton) => /[dMyE]/.test(skeleton) && /[hHkK]/.test(skeleton);
const isRare = (skeleton) => /[GBQw]/.test(skeleton) && hasDateAndTime(skeleton);

// Spaces of two kinds make two skeletons of one.
const plain = (skeleton) => skeleton.replace(/[\u00a0\u202f]/g, " ");

// A date's skeleton is of letters alone, unlike the pattern of a dateStyle.
const isStyle = (skeleton) => hasDateAndTime(skeleton) && !/^[A-Za-z]+(,? [ahHkKzB]|$)/.test(skeleton);

// The first of several that fit alike is taken: styles must not be it.
const trimFormats = (formats) => {
  const seen = new Set(), kept = Object.entries(formats).filter(([skeleton]) => {
    const key = plain(skeleton), keep = !isRare(skeleton) && !seen.has(key);
    seen.add(key);
    return keep;
  });
  return Object.fromEntries([...kept.filter(([skeleton]) => !isStyle(skeleton)), ...kept.filter(([skeleton]) => isStyle(skeleton))]);
};

// How the long styles of date and time are joined (CLDR, dateTimeFormat of the
// type atTime), which FormatJS's data does not have.
const joints = { de: "um", en: "at", fr: "à" };

const join = (locale, formats) => {
  const word = joints[locale.slice(0, 2)];
  if (word === undefined) return formats;
  const pattern = `{1} '${word}' {0}`;
  return { ...formats, full: pattern, long: pattern };
};

const add = DateTimeFormat.__addLocaleData;
DateTimeFormat.__addLocaleData = ({ locale, data }) => {
  const { intervalFormatFallback } = data.intervalFormats;
  add({
    locale,
    data: {
      ...data,
      formats: { gregory: trimFormats(data.formats.gregory) },
      intervalFormats: { intervalFormatFallback },
      dateTimeFormat: join(locale, data.dateTimeFormat),
    },
  });
  share(DateTimeFormat.localeData[locale]);
};

// share lets all formats of a locale have one table of ranges, once they are
// parsed, which is when they are first asked for.
const share = (data) => {
  const { formats } = data;
  let parsed;
  const get = () => {
    if (parsed !== undefined) return parsed;
    parsed = formats.gregory;
    const [{ rangePatterns }] = parsed;
    for (const format of parsed) format.rangePatterns = format.rangePatterns12 = rangePatterns;
    return parsed;
  };
  data.formats = Object.defineProperties({}, { gregory: { enumerable: true, get }, iso8601: { enumerable: true, get } });
};

// parseAll has the formats of all locales parsed.
export const parseAll = () => {
  for (const { formats } of new Set(Object.values(DateTimeFormat.localeData))) void formats.gregory;
};
