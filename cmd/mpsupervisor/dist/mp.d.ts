// What mpsupervisor adds to the web platform for JavaScript mini-programs.
//
// Programs find the platform itself too: name "es2024" and "webworker" under
// "lib" in tsconfig.json. The project's docs/web-platform.md tells what of it is
// not there.
//
// Every function that a program's entry module exports can be called from
// outside, with one JSON value. Its result, awaited, goes back as JSON.

/** A value that JSON can carry. */
type MiniProgramJSON =
  | null
  | boolean
  | number
  | string
  | MiniProgramJSON[]
  | { [name: string]: MiniProgramJSON };

/** Why a request to the host failed. Wrong params are a TypeError with a code. */
interface MiniProgramRequestError extends Error {
  /**
   * What kind of failure it is: `not_found` (there is no such method),
   * `invalid_params`, `not_allowed`, `quota_exceeded`, `too_large`, `aborted`
   * (the program was suspended meanwhile) or `failed`.
   */
  readonly code: string;
}

/** The container of a mini-program. */
interface MiniProgram {
  /** The program's ID, from its manifest. */
  readonly appId: string;

  /**
   * Ends the program.
   * @param code its exit status, from 0 (the default) to 255
   * @throws TypeError if the code is none
   */
  exit(code?: number): never;

  /**
   * Asks the host for something.
   * @param method the name of what is asked for, such as `app`
   * @param params a value that JSON can carry, of at most 1 MiB
   * @returns the host's answer. At most 64 requests can be under way; the
   * promise of one more is rejected with a {@link MiniProgramRequestError}, as is
   * that of one that fails.
   */
  request<Result = MiniProgramJSON>(method: string, params?: unknown): Promise<Result>;
}

declare var mp: MiniProgram;
