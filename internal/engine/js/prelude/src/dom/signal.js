// What an AbortSignal is to those who act on it (DOM Standard, section 3.2):
// its state, and the algorithms to run when it is aborted.
import { Identity } from "./idl.js";

// FEW dependents of a signal are never looked through.
export const FEW = 32;

class Signal extends Identity {
  #state = {
    aborted: false,
    reason: undefined,
    algorithms: new Set(),
    sources: [],           // of a dependent signal: the signals that it follows
    dependents: new Set(), // WeakRefs of the signals that follow this one
    most: FEW,             // how many may be there before those that are gone go
    kept: new Set(),       // those of them that somebody waits for
  };

  static is = (value) => typeof value === "object" && value !== null && #state in value;
  static state = (signal) => signal.#state;
}

// adopt makes an object a signal.
export const adopt = (object) => new Signal(object);
export const isSignal = Signal.is;
export const signalState = Signal.state;

// isAborted and reasonOf ask a signal without running any code of the guest's.
export const isAborted = (signal) => Signal.state(signal).aborted;
export const reasonOf = (signal) => Signal.state(signal).reason;

// onAbort has algorithm called when signal is aborted, before its event. It
// returns a function that takes that back.
export const onAbort = (signal, algorithm) => {
  const state = Signal.state(signal);
  if (state.aborted) return () => {};
  state.algorithms.add(algorithm);
  keep(signal);
  return () => { state.algorithms.delete(algorithm); };
};

// keep has the sources of a dependent signal hold on to it: somebody waits.
export const keep = (signal) => {
  for (const source of Signal.state(signal).sources) Signal.state(source).kept.add(signal);
};
