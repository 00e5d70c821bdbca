/** One pull of a kind at a time; asked meanwhile, it is made once more. */

export class Once {
  private readonly pulling = new Map<string, { again: boolean; done: Promise<void> }>();

  pull(kind: string, pull: () => Promise<void>): Promise<void> {
    const running = this.pulling.get(kind);
    if (running) {
      running.again = true;
      return running.done;
    }
    const state = { again: false, done: Promise.resolve() };
    state.done = (async () => {
      try {
        do {
          state.again = false;
          await pull();
        } while (state.again);
      } finally {
        this.pulling.delete(kind);
      }
    })();
    this.pulling.set(kind, state);
    return state.done;
  }
}
