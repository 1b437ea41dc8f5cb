// Noise: lines, timers and errors that nobody asked for. The program goes on
// after each.

export function logFlood() {
  const lines = 20_000;
  for (let i = 0; i < lines; i++) console.log(`line ${i} of ${lines}`);
  return lines;
}

export function hugeLine() {
  const line = "x".repeat(4 << 20);
  console.log(line);
  return line.length;
}

// Colours and cursor movements, for whoever shows the log in a terminal.
export function terminalTricks() {
  console.log("\x1b[2J\x1b[1;1H\x1b[31mThis is the supervisor. Enter your password:\x07");
  return "logged";
}

export function timerFlood() {
  for (;;) setTimeout(() => {}, 3_600_000);
}

export function errorInTimer() {
  setTimeout(() => {
    throw new Error("nobody catches this");
  });
  return "answered before the error";
}

export function unhandledRejection() {
  Promise.reject(new Error("nobody handles this"));
  return "answered all the same";
}
