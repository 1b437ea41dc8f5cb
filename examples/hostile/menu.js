// What each item does and how it should end.
//
// ends is one of
//   "call limit", "memory limit", "exited": the program ends with this cause;
//   "throws": the call fails with an error of the program, which goes on;
//   "too large": the call fails for its result's size, the program goes on;
//   "answers": the call succeeds.

const ITEMS = {
  endlessLoop: ["loops for ever", "call limit"],
  regexBomb: ["matches a regular expression that backtracks exponentially", "call limit"],
  microtaskFlood: ["queues jobs that queue jobs", "call limit"],
  sortForever: ["sorts with a comparison that contradicts itself, again and again", "call limit"],
  bigintBomb: ["multiplies numbers of 47,712 digits", "call limit"],
  uninterruptible: ["stays inside one built-in function", "call limit"],
  neverSettles: ["returns a promise that never settles", "call limit"],
  ignoresErrors: ["catches whatever would make it stop", "call limit"],

  memoryBomb: ["allocates buffers", "memory limit"],
  promiseBomb: ["makes promises, each with a list to keep", "memory limit"],
  stringBomb: ["makes strings", "memory limit"],
  stubbornBomb: ["catches the error of the full heap and goes on allocating", "call limit"],

  recursion: ["calls itself without end", "throws"],
  proxyTrap: ["a proxy's trap that asks the same proxy", "throws"],
  deepJson: ["parses JSON that is nested a million deep", "throws"],
  deepResult: ["returns an array that is nested 50,000 deep", "throws"],

  hugeResult: ["returns 2 MiB", "too large"],
  cyclicResult: ["returns an object that contains itself", "throws"],
  throwingToJson: ["returns an object whose toJSON throws", "throws"],
  strangeThrow: ["throws an object that throws when it is looked at", "throws"],

  logFlood: ["logs 20,000 lines: those above the rate are counted and dropped", "answers"],
  hugeLine: ["logs one line of 4 MiB: it is cut", "answers"],
  terminalTricks: ["logs terminal control sequences: they are shown, not obeyed", "answers"],
  timerFlood: ["sets timers without end", "throws"],
  errorInTimer: ["throws in a timer: it is logged", "answers"],
  unhandledRejection: ["rejects a promise that nobody handles: it is logged", "answers"],

  importOutside: ["imports a module beside its package", "throws"],
  importFile: ["imports a file of the host", "throws"],
  importSystem: ["imports the engine's module for files and processes", "throws"],
  lookAround: ["lists every global name", "answers"],
  breakBuiltins: ["overwrites the built-in functions", "answers"],
  exitNow: ["ends itself with code 3", "exited"],
};

// menu returns [{name, does, ends}].
export function menu() {
  return Object.entries(ITEMS).map(([name, [does, ends]]) => ({ name, does, ends }));
}
