import * as self from "./circle.js";
export const name = "circle";
export const seen = () => self.name;
