// The time zones, each unpacked when it is first asked for: all of them would
// take 20 MB.
import { DateTimeFormat } from "./constructors.js";

const NEVER = -Infinity;

// unpack returns a zone's changes as DateTimeFormat wants them: of [seconds
// since 1970, abbreviation, offset in seconds, whether it is summer time].
const unpack = (zone, abbreviations, offsets) =>
  zone.split("|").slice(1).map((change) => change.split(",")).map(([time, abbreviation, offset, summer]) =>
    [time === "" ? NEVER : parseInt(time, 36), abbreviations[abbreviation], offsets[offset], summer === "1"]);

// Each change comes as two, the end of what was and the beginning of what is:
// the second is enough.
const shorten = (zone) => {
  const parts = zone.split("|"), rule = (part) => part.slice(part.indexOf(","));
  return parts.filter((part, i) => i < 2 || (rule(part) !== rule(parts[i - 1]) && !part.startsWith("NaN"))).join("|");
};

const put = (object, name, value) => Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });

DateTimeFormat.__addTZData = (data) => {
  const abbreviations = data.abbrvs.split("|"), offsets = data.offsets.split("|").map((n) => parseInt(n, 36));
  const zones = {};
  for (const long of data.zones) {
    const zone = shorten(long), name = zone.slice(0, zone.indexOf("|"));
    const get = () => {
      const changes = unpack(zone, abbreviations, offsets);
      put(zones, name, changes);
      return changes;
    };
    Object.defineProperty(zones, name, { get, enumerable: true, configurable: true });
  }
  DateTimeFormat.tzData = zones;
};
