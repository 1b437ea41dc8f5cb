// Answers that are no answers. The program goes on after each.

export function hugeResult() {
  return "x".repeat(2 << 20);
}

export function cyclicResult() {
  const result = {};
  result.self = result;
  return result;
}

export function throwingToJson() {
  return {
    toJSON() {
      throw new Error("no answer for you");
    },
  };
}

// What is thrown is no Error, and showing it runs the program's own code.
export function strangeThrow() {
  throw {
    get name() {
      throw new Error("gotcha");
    },
    toString: () => strangeThrow(),
  };
}
