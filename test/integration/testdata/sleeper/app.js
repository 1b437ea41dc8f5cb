// Counts in a closure, and saves the count itself for the case that its heap
// cannot be restored.

let count = 0;
let launched = null;
const steps = (function* () {
  for (let n = 1; ; n++) yield n;
})();

mp.addEventListener("launched", (event) => {
  launched = { restored: event.restored, state: event.state };
});
mp.addEventListener("hibernate", (event) => event.save({ count }));

export const increment = () => ({ count: ++count, step: steps.next().value });
export const how = () => launched;
export const never = () => new Promise(() => {});
export const fill = (megabytes) => {
  globalThis.ballast = new Uint8Array(megabytes << 20).fill(7);
  return ballast.length;
};
