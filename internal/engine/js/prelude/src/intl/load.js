// intl returns {DateTimeFormat, Intl, NumberFormat, parseAll}, evaluating their
// bundle the first time.
let loaded;
export const intl = () => loaded ??= load();

const load = () => {
  host.loadIntl();
  return host.intl;
};
