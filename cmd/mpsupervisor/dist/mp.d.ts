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

/** A moment in the program's life, or in a page's. */
interface LifecycleEvent extends Event {
  /**
   * Has the host wait for a promise before it goes on: before the first call,
   * before the program is ended and so on. It waits as long as a call may take,
   * and a second at the event `unloaded`.
   * @throws DOMException InvalidStateError once nothing is waited for any more
   */
  waitUntil(promise: unknown): void;
}

/** The program has been loaded. Nothing has been called yet. */
interface LaunchedEvent extends LifecycleEvent {
  /** What the program saved when it was hibernated, if its heap could not be restored; else null. */
  readonly state: any;
  /** Whether the program was hibernated and goes on with all that it had. */
  readonly restored: boolean;
}

/** The program is about to be hibernated. */
interface HibernateEvent extends LifecycleEvent {
  /**
   * Keeps a value for a start at which the heap cannot be restored. The last one
   * counts.
   * @param value at most 256 KiB of JSON
   * @throws DOMException QuotaExceededError if it is larger
   */
  save(value: unknown): void;
}

interface MiniProgramEventMap {
  launched: LaunchedEvent;
  shown: LifecycleEvent;
  hidden: LifecycleEvent;
  unloaded: LifecycleEvent;
  hibernate: HibernateEvent;
  /** Something was thrown that nothing caught. Canceling it keeps it out of the log. */
  error: ErrorEvent;
}

interface PageEventMap {
  loaded: LifecycleEvent;
  ready: LifecycleEvent;
  shown: LifecycleEvent;
  hidden: LifecycleEvent;
  unloaded: LifecycleEvent;
}

/** One of the program's pages. */
interface Page extends EventTarget {
  /** Its path, as in the manifest. */
  readonly path: string;
  /** Whether it can be seen. */
  readonly visible: boolean;

  onloaded: ((this: Page, event: LifecycleEvent) => any) | null;
  onready: ((this: Page, event: LifecycleEvent) => any) | null;
  onshown: ((this: Page, event: LifecycleEvent) => any) | null;
  onhidden: ((this: Page, event: LifecycleEvent) => any) | null;
  onunloaded: ((this: Page, event: LifecycleEvent) => any) | null;

  addEventListener<Type extends keyof PageEventMap>(
    type: Type,
    listener: (this: Page, event: PageEventMap[Type]) => any,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
}

/** The container of a mini-program. */
interface MiniProgram extends EventTarget {
  /** The program's ID, from its manifest. */
  readonly appId: string;

  /** Whether the program can be seen. */
  readonly visible: boolean;

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

  /**
   * One of the program's pages, the same object each time.
   * @param path at most 1,024 bytes; there can be 256 pages
   */
  page(path: string): Page;

  onlaunched: ((this: MiniProgram, event: LaunchedEvent) => any) | null;
  onshown: ((this: MiniProgram, event: LifecycleEvent) => any) | null;
  onhidden: ((this: MiniProgram, event: LifecycleEvent) => any) | null;
  onunloaded: ((this: MiniProgram, event: LifecycleEvent) => any) | null;
  onhibernate: ((this: MiniProgram, event: HibernateEvent) => any) | null;
  onerror: ((this: MiniProgram, event: ErrorEvent) => any) | null;
}

interface MiniProgram {
  addEventListener<Type extends keyof MiniProgramEventMap>(
    type: Type,
    listener: (this: MiniProgram, event: MiniProgramEventMap[Type]) => any,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
}

declare var mp: MiniProgram;
