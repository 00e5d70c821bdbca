/** The terminals of a page: who sets the pace, what is held, and what a new session leaves of the old one. */

import { create } from "@bufbuild/protobuf";
import { expect, test, vi } from "vitest";
import { createStore } from "zustand/vanilla";
import { AttachedSchema, TerminalServerSchema } from "../../host/generated/slipway/v1/terminal_pb";
import type { Host } from "../../host/host";
import type { LiveState, LiveWorkspace } from "../../host/live";
import type { ClientBody, StreamUser } from "../../host/socket";
import type { LinkState } from "../../host/terminal";
import type { TerminalScreen } from "./screen";
import { Terminals } from "./terminals";

function page(localSession: string | null = null) {
  let opened = 0;
  const sent = new Map<string, ClientBody[]>();
  const closed: string[] = [];
  const users = new Map<string, StreamUser>();
  const socket = {
    open(user: StreamUser) {
      const first = user.first();
      const id = first.case === "attach" ? (first.value.hello?.terminalId ?? "") : "";
      const frames: ClientBody[] = [first];
      sent.set(id, frames);
      users.set(id, user);
      return {
        send: (body: ClientBody) => frames.push(body) > 0,
        close: () => closed.push(id),
      };
    },
  };
  const store = createStore(
    () => ({ session: session("s1"), terminals: [], localTerminals: [] }) as unknown as LiveState,
  );
  const live = {
    store,
    socket,
    localSession,
    get state() {
      return store.getState();
    },
    get liveSession() {
      const { session } = store.getState();
      return session?.state === "ready" ? session : null;
    },
    calls: {
      openTerminal: async () => {
        opened += 1;
        return { id: `t${opened}`, title: "" };
      },
      closeTerminal: vi.fn(async () => undefined),
    },
  } as unknown as LiveWorkspace;
  const host = {
    newId: () => "viewer",
    after: () => () => undefined,
    kept: { get: () => null },
  } as unknown as Host;
  const focused: string[] = [];
  const disposed = vi.fn();
  const terminals = new Terminals(live, { confirmPaste: async () => true }, host, async (owner) => {
    const nothing = () => undefined;
    const screen = {
      colours: () => null,
      terminal: { cols: 80, rows: 24 },
      focus: () => focused.push("focus"),
      dispose: disposed,
      readAloud: nothing,
      reset: nothing,
      resize: nothing,
      replaying: nothing,
      link: (link: LinkState) => owner.linked(link, ""),
    };
    return screen as unknown as TerminalScreen;
  });
  const seen = (id: string) =>
    (sent.get(id) ?? []).flatMap((body) =>
      body.case === "terminal" && body.value.frame.case === "visibility"
        ? [body.value.frame.value.visible]
        : [],
    );
  /** The agent answers. */
  const attach = (id: string) => {
    const attached = create(AttachedSchema, { epoch: "e", cols: 80, rows: 24 });
    const frame = create(TerminalServerSchema, { frame: { case: "attached", value: attached } });
    users.get(id)?.frame({ case: "terminal", value: frame });
  };
  return { terminals, live, store, attach, seen, closed, focused, disposed, sent };
}

function session(id: string, state = "ready") {
  return { id, state };
}

/** Draws a terminal as the page does. */
async function draw(terminals: Terminals, id: string): Promise<void> {
  await terminals.screen(id);
  terminals.drawn(id, true);
}

test("what is drawn sets the pace, also the neighbour of one that was closed", async () => {
  const { terminals, seen } = page();
  await terminals.open();
  await terminals.open();
  await draw(terminals, "t1");
  terminals.drawn("t1", false);
  await draw(terminals, "t2");
  await terminals.close("t2");
  expect(terminals.store.getState().active).toBe("t1");
  await draw(terminals, "t1");
  expect(seen("t1").at(-1)).toBe(true);
});

test("a page behind another one sets no pace", async () => {
  const { terminals, seen } = page();
  await terminals.open();
  await draw(terminals, "t1");
  terminals.seen(false);
  expect(seen("t1").at(-1)).toBe(false);
  terminals.seen(true);
  expect(seen("t1").at(-1)).toBe(true);
});

test("the terminal of a run is held while it goes, and no longer", async () => {
  const { terminals, closed, disposed } = page();
  terminals.watchRuns([{ id: "r1", session: "s1" }]);
  await draw(terminals, "r1");
  terminals.watchRuns([{ id: "r1", session: "s1" }]);
  expect(terminals.tab("r1")).not.toBeNull();
  terminals.watchRuns([]);
  expect(terminals.tab("r1")).toBeNull();
  expect(closed).toEqual(["r1"]);
  expect(disposed).toHaveBeenCalledOnce();
});

test("what is typed before the agent answers reaches the program, in a run as well", async () => {
  const { terminals, sent, attach } = page();
  terminals.watchRuns([{ id: "r1", session: "s1" }]);
  const typing = terminals.type("r1", "42\r");
  await vi.waitFor(() => expect(sent.get("r1")).toBeDefined());
  attach("r1");
  await typing;
  const typed = (sent.get("r1") ?? []).flatMap((body) =>
    body.case === "terminal" && body.value.frame.case === "input"
      ? [body.value.frame.value.data]
      : [],
  );
  expect(new TextDecoder().decode(typed[0])).toBe("42\r");
});

test("a terminal that is asked for takes the focus as soon as it is drawn", async () => {
  const { terminals, focused } = page();
  await terminals.open();
  terminals.focus("t1");
  expect(focused).toEqual([]);
  await draw(terminals, "t1");
  expect(focused).toEqual(["focus"]);
});

test("a new shell takes the place and the name of one that ended", async () => {
  const { terminals, live, focused } = page();
  await terminals.open();
  terminals.rename("t1", "logs");
  // The focus does not wait until the server has closed the old one.
  const close = vi.spyOn(live.calls, "closeTerminal").mockImplementation(async () => {
    await draw(terminals, "t2");
    expect(focused).toEqual(["focus"]);
  });
  expect(await terminals.restart("t1")).toBe("t2");
  expect(close).toHaveBeenCalledOnce();
  const { tabs, active } = terminals.store.getState();
  expect(tabs.map((tab) => tab.name)).toEqual(["logs"]);
  expect(active).toBe("t2");
});

test("a list that still names a closed terminal does not bring it back", async () => {
  const { terminals, store } = page();
  await terminals.open();
  await terminals.close("t1");
  store.setState({ terminals: [{ id: "t1", title: "", cols: 80, rows: 24 }] as never });
  expect(terminals.store.getState().tabs).toEqual([]);
});

test("what a session showed stays until another one is there", async () => {
  const { terminals, store } = page();
  await terminals.open();
  store.setState({ session: session("s1", "stopped") as never, terminals: [] });
  expect(terminals.tab("t1")?.link).toBe("over");
  store.setState({ session: session("s2") as never, terminals: [] });
  expect(terminals.tab("t1")).toBeNull();
});

test("terminals of this computer stand beside those of the session, and outlive it", async () => {
  const { terminals, store } = page("here");
  await terminals.open("here");
  await terminals.open("session");
  expect(terminals.store.getState().tabs.map(({ place }) => place)).toEqual(["here", "session"]);
  store.setState({ session: session("s1", "stopped") as never, terminals: [] });
  expect(terminals.tab("t1")?.link).not.toBe("over");
  expect(terminals.tab("t2")?.link).toBe("over");
  store.setState({ session: session("s2") as never, terminals: [] });
  expect(terminals.store.getState().tabs.map(({ id }) => id)).toEqual(["t1"]);
});

test("a new terminal opens where the shown one runs, and without a session on this computer", async () => {
  const { terminals, store } = page("here");
  expect(terminals.usualPlace()).toBe("session");
  await terminals.open("here");
  expect(terminals.usualPlace()).toBe("here");
  await terminals.open("session");
  expect(terminals.usualPlace()).toBe("session");
  store.setState({ session: session("s1", "stopped") as never, terminals: [] });
  expect(terminals.usualPlace()).toBe("here");
  expect(page().terminals.usualPlace()).toBe("session");
});

test("terminals that run on this computer already are shown without any session", () => {
  const { terminals, store } = page("here");
  const local = [{ id: "old", title: "bash", cols: 80, rows: 24 }];
  store.setState({ session: null as never, localTerminals: local as never });
  expect(terminals.store.getState().active).toBe("old");
  expect(terminals.tab("old")?.place).toBe("here");
});
