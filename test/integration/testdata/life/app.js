// A program that tells of its life, and asks its host.
let launched = false, called = false;
for (const type of ["launched", "shown", "hidden", "unloaded"]) {
  mp.addEventListener(type, (event) => {
    if (type === "launched") launched = !called;
    event.waitUntil(Promise.resolve().then(() => console.log("program", type)));
  });
}
for (const path of ["pages/home", "pages/cart"]) {
  for (const type of ["loaded", "ready", "shown", "hidden", "unloaded"]) {
    mp.page(path).addEventListener(type, () => console.log(path, type));
  }
}

export const wasLaunched = () => { called = true; return launched; };
export const app = () => mp.request("app");
export const ask = (method) => mp.request(method).catch((error) => [error.name, error.code, error.message]);

// flood asks as fast as it can for a while, more than 64 at once.
export async function flood(milliseconds) {
  const end = performance.now() + milliseconds;
  let answered = 0, refused = 0;
  const one = async (params) => {
    try {
      await mp.request("app", params);
      answered++;
    } catch (error) {
      if (error.code !== "quota_exceeded") throw error;
      refused++;
    }
  };
  while (performance.now() < end) await Promise.all(Array.from({ length: 100 }, (_, i) => one(i % 10 === 0 ? "x".repeat(100000) : i)));
  return { answered, refused };
}
