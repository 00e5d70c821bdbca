/** Exchanges that outlive a sign-in: when it has ended, what was asked waits for the next one and is asked again. */
import { type Exchange, failureOf } from "./ide";

/** Codes that a new sign-in cures. */
const ENDED = new Set(["sign_in_expired", "sign_in_required"]);

/** Holds back exchanges from the end of one sign-in to the beginning of the next. */
export class SignInGate {
  private waiting: { promise: Promise<void>; open: () => void } | null = null;
  private readonly listeners = new Set<() => void>();

  constructor(private readonly inner: Exchange) {}

  /** Whether exchanges wait for the person to sign in. */
  get closed(): boolean {
    return this.waiting !== null;
  }

  /** Tells a listener of every change of `closed`; returns how to stop that. */
  watch = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** As the exchange inside, but never failing for a sign-in that has ended. */
  exchange: Exchange = async (method, path, options) => {
    for (;;) {
      try {
        return await this.inner(method, path, options);
      } catch (error) {
        if (!ENDED.has(failureOf(error).code)) throw error;
        await this.shut(options?.signal);
      }
    }
  };

  /** The person has signed in: everything that waited goes on. */
  open(): void {
    const waiting = this.waiting;
    this.waiting = null;
    waiting?.open();
    for (const listener of this.listeners) listener();
  }

  private shut(signal?: AbortSignal): Promise<void> {
    if (!this.waiting) {
      let open = () => {};
      const promise = new Promise<void>((resolve) => {
        open = resolve;
      });
      this.waiting = { promise, open };
      for (const listener of this.listeners) listener();
    }
    if (!signal) return this.waiting.promise;
    return Promise.race([
      this.waiting.promise,
      new Promise<never>((_, fail) => {
        if (signal.aborted) fail(signal.reason);
        signal.addEventListener("abort", () => fail(signal.reason), { once: true });
      }),
    ]);
  }
}
