// A menu of misbehaviour. Call `menu` for the list; every other exported
// function is one item of it.

export * from "./time.js";
export * from "./memory.js";
export * from "./depth.js";
export * from "./results.js";
export * from "./noise.js";
export * from "./reach.js";
export { menu } from "./menu.js";
