/** What can be done about sync; nothing in a browser, where files lie on the server. */
import { navigate } from "wouter/use-browser-location";
import { type Action, action } from "../../bench/actions";
import type { Bench } from "../../bench/bench";
import type { Here } from "../../host/here";
import { lackOf } from "../../host/lack";
import { toSignIn } from "../../host/signIn";

export function syncActions(bench: Bench): Action[] {
  const { here } = bench;
  if (!here) return [];
  const { workspace, conflicts, sync } = here.state;
  // Of the server itself: that this workspace is not there yet is the reason to upload it.
  const lack = lackOf(bench.live.connection.status);
  const known = workspace?.remote ? "The server has this workspace already" : null;
  const comes = workspace?.remote ? lack : "No server knows this workspace";
  const gone = sync?.state === "broken" || workspace?.there === false;
  const shown = bench.main.getState().view;
  const next = () => {
    const at = conflicts.findIndex(({ copy }) => shown?.kind === "conflict" && shown.copy === copy);
    const one = conflicts[(at + 1) % Math.max(1, conflicts.length)];
    bench.showSide("sync");
    if (one) bench.enterConflict(one.copy);
  };
  return [
    action("sync.show", "Show sync", "refresh", () => bench.enterSide("sync")),
    action("sync.retry", "Try the server now", "refresh", () => bench.live.connection.retry()),
    action("sync.conflict", "Go to the next conflict", "alert", next, {
      keys: ["Alt+F7"],
      unavailable: conflicts.length > 0 ? null : "There is no conflict",
    }),
    action(
      "sync.upload",
      "Upload this workspace to the server…",
      "cloud-up",
      () => upload(bench, here),
      {
        unavailable: lack ?? known,
      },
    ),
    action(
      "sync.again",
      "Get this workspace's folder again from the server…",
      "download",
      () => void again(bench, here),
      { unavailable: gone ? comes : "The folder is there" },
    ),
    action(
      "sync.folder",
      "Show this workspace's folder",
      "folder-open",
      () => workspace && bench.host.desktop?.showFolder(workspace.folder),
      { unavailable: workspace?.there ? null : "The folder is not there" },
    ),
  ];
}

/** What is open here stays: it is the same workspace, and what was typed meets what comes. */
async function again(bench: Bench, here: Here): Promise<void> {
  const { workspace } = here.state;
  if (!workspace) return;
  const { name, folder } = workspace;
  const sure = await bench.confirm({
    title: `Get ${name} again?`,
    text: `It comes from the server to ${folder}, as it is there. If the folder was only moved, move it back instead: what was changed in it and did not reach the server is there alone.`,
    yes: "Get it again",
  });
  if (!sure) return;
  try {
    await here.again();
    bench.live.refresh();
    bench.toast({ tone: "ok", text: `${name} comes from the server again.` });
  } catch (error) {
    bench.failed(error, `${name} was not brought again.`);
  }
}

const UPLOAD = {
  title: "Upload to the server",
  text: "The server keeps its files in step with this folder from now on, and can run them in a session.",
  yes: "Upload",
};

/** One question, the name; everything else goes by itself. Whether the server has it now. */
async function upload(bench: Bench, here: Here, words = UPLOAD): Promise<boolean> {
  const given = await bench.ask({
    ...words,
    label: "Name there",
    value: here.state.workspace?.name ?? "",
    problem: (text) => (text.trim() === "" ? "Give a name." : null),
    send: (text) => here.upload(text.trim()),
  });
  if (given === null) return false;
  bench.toast({ tone: "ok", text: `${given.trim()} is on its way to the server.` });
  return true;
}

/** Runs happen at a server: the way there for a workspace that is only on this computer. Whether it is there now. */
export async function bringToRun(bench: Bench, what: string): Promise<boolean> {
  const { here, live } = bench;
  if (!here || live.state.connection.state !== "local") return true;
  if (live.connection.status.state !== "signed-out")
    return upload(bench, here, {
      title: `Upload to run ${what}`,
      text: `This workspace is only on this computer, and runs happen at a server. It keeps its files in step with this folder from now on; then ${what} runs.`,
      yes: "Upload and run",
    });
  const signsIn = await bench.confirm({
    title: `Sign in to run ${what}`,
    text: "Runs happen at a server, and nobody is signed in to one. Afterwards you are back here, and Run uploads this workspace. Without a server everything runs in a terminal of this computer.",
    yes: "Sign in",
  });
  if (signsIn) navigate(toSignIn());
  return false;
}
