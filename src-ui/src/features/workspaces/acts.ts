/** What can be done to workspaces, each with its question before and its message after. */
import { useQueryClient } from "@tanstack/react-query";
import { useLocation } from "wouter";
import type { SyncBrief } from "../../host/generated/api/SyncBrief";
import type { Template } from "../../host/generated/api/Template";
import type { Workspace } from "../../host/generated/api/Workspace";
import { TRASH_DAYS, WORKSPACE_NAME_CHARS_MAX } from "../../host/generated/limits";
import type { Exchange } from "../../host/ide";
import { DesktopCalls, useLocalWorkspaces } from "../../host/local";
import { useHost } from "../../host/useHost";
import { type MenuEntry, type Message, type Question, usePopups } from "../../ui/popups";

/** Copying a large workspace takes the server a while. */
const COPY_MS = 300_000;
const EXPORTED =
  "The zip holds what is on the server. What sessions keep to themselves, such as .git and node_modules, is not in it.";

export interface Acts {
  create(template: Template, title: string, taken: readonly Workspace[]): Promise<void>;
  rename(row: Workspace): Promise<void>;
  duplicate(row: Workspace): Promise<void>;
  download(row: Workspace): void;
  archive(row: Workspace): Promise<void>;
  remove(row: Workspace): Promise<void>;
  recover(row: Workspace): Promise<void>;
  purge(row: Workspace): Promise<void>;
  /** Where it opens at once; null while it has to be brought to this computer first. */
  at(row: Pick<Workspace, "id">): string | null;
  /** In the desktop program: how its folder on this computer stands; null when it has none. */
  brief(row: Pick<Workspace, "id">): SyncBrief | null;
  open(row: Pick<Workspace, "id" | "name">): Promise<void>;
  name(title: string, yes: string, value: string, send?: Question["send"]): Promise<string | null>;
}

export function useActs(): Acts {
  const { exchange, download, desktop } = useHost();
  const { data: local } = useLocalWorkspaces();
  const { ask, toast, failed } = usePopups();
  const client = useQueryClient();
  const [, go] = useLocation();
  const at = (row: Workspace) => `/workspaces/${row.id}`;
  const hereOf = (id: string) => local?.find(({ remote }) => remote?.workspace === id) ?? null;
  const brief: Acts["brief"] = ({ id }) => hereOf(id)?.sync ?? null;
  const opensAt: Acts["at"] = ({ id }) => {
    if (!desktop) return `/w/${id}`;
    const here = hereOf(id);
    return here ? `/w/${here.id}` : null;
  };
  const open: Acts["open"] = async (row) => {
    try {
      go(opensAt(row) ?? `/w/${(await new DesktopCalls(exchange).clone(row.id)).id}`);
    } catch (error) {
      failed(error, `${row.name} was not brought to this computer.`);
    }
  };

  /** Has it done by the server; the lists are read again, however it ended. */
  const done: Exchange = async (...request) => {
    try {
      return await exchange(...request);
    } finally {
      void client.invalidateQueries({ queryKey: ["workspaces"] });
    }
  };
  const act = async (what: () => Promise<unknown>, after: Message) => {
    try {
      await what();
      toast(after);
    } catch (error) {
      failed(error);
    }
  };
  const ok = (text: string): Message => ({ text, tone: "ok" });
  const recover = (row: Workspace) =>
    act(() => done("POST", `${at(row)}/recover`), ok(`${row.name} is back.`));
  const name: Acts["name"] = (title, yes, value, send) =>
    ask({ title, label: "Name", value, yes, problem: nameProblem, ...(send ? { send } : {}) });
  const typed = (
    row: Workspace,
    { title, text, yes }: { title: string; text: string; yes: string },
    send: NonNullable<Question["send"]>,
  ) =>
    ask({
      title,
      text,
      label: `Type ${row.name} to confirm`,
      value: "",
      yes,
      danger: true,
      send,
      problem: (value) => (value === row.name ? null : `This is not ${row.name}.`),
    });

  return {
    name,
    at: opensAt,
    brief,
    open,
    create: async (template, title, taken) => {
      await name(
        `New workspace: ${title}`,
        "Create",
        freeName(title, taken),
        async (text, signal) => {
          const json = { name: text.trim(), template };
          const answer = await done("POST", "/workspaces", { json, signal });
          await open((await answer.json()) as Workspace);
        },
      );
    },
    rename: async (row) => {
      await name(`Rename ${row.name}`, "Rename", row.name, (text, signal) =>
        done("PATCH", at(row), { json: { name: text.trim() }, signal }),
      );
    },
    duplicate: async (row) => {
      const copy = (text: string, signal: AbortSignal) => {
        const options = { json: { name: text.trim() }, patience: COPY_MS, signal };
        return done("POST", `${at(row)}/duplicate`, options);
      };
      const chosen = await name(`Duplicate ${row.name}`, "Duplicate", `${row.name} copy`, copy);
      if (chosen !== null) toast(ok(`${chosen.trim()} is made.`));
    },
    download: (row) => {
      download(`${at(row)}/export`);
      toast({ text: EXPORTED });
    },
    archive: (row) => {
      const archived = !row.archived_at;
      const text = archived ? `${row.name} is in the archive.` : `${row.name} is back.`;
      return act(() => done("PATCH", at(row), { json: { archived } }), ok(text));
    },
    remove: async (row) => {
      const question = {
        title: `Delete ${row.name}?`,
        text: `It goes to the trash for ${TRASH_DAYS} days. A running session is stopped.`,
        yes: "Delete workspace",
      };
      const typedName = await typed(row, question, (text, signal) =>
        done("DELETE", at(row), { json: { name: text }, signal }),
      );
      if (typedName === null) return;
      const undo = { label: "Undo", run: () => void recover(row) };
      toast({ text: `${row.name} is in the trash for ${TRASH_DAYS} days`, action: undo });
    },
    recover,
    purge: async (row) => {
      const question = {
        title: `Delete ${row.name} for good?`,
        text: "Its files and their history are deleted now and cannot be brought back.",
        yes: "Delete for good",
      };
      const typedName = await typed(row, question, (_, signal) =>
        done("DELETE", `${at(row)}/trash`, { signal }),
      );
      if (typedName !== null) toast(ok(`${row.name} is gone.`));
    },
  };
}

/** The menu of a row: what fits where it stands. */
export function menuOf(row: Workspace, acts: Acts): (MenuEntry | null)[] {
  if (row.deleted_at)
    return [
      { label: "Bring back", icon: "undo", run: () => void acts.recover(row) },
      null,
      { label: "Delete for good", icon: "trash", danger: true, run: () => void acts.purge(row) },
    ];
  return [
    { label: "Open", icon: "folder-open", keys: "Enter", run: () => void acts.open(row) },
    { label: "Rename", icon: "pencil", keys: "F2", run: () => void acts.rename(row) },
    { label: "Duplicate", icon: "copy", run: () => void acts.duplicate(row) },
    { label: "Export as zip", icon: "download", run: () => acts.download(row) },
    {
      label: row.archived_at ? "Bring back from the archive" : "Archive",
      icon: "archive",
      run: () => void acts.archive(row),
    },
    null,
    { label: "Delete", icon: "trash", keys: "Del", danger: true, run: () => void acts.remove(row) },
  ];
}

/** Control characters and marks that turn the direction of writing; joiners are left, which scripts and emoji need. */
const UNSEEN = /[\p{Cc}\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]/u;

/** The server's rule, said before anything is sent. */
export function nameProblem(name: string): string | null {
  const text = name.trim();
  if (text === "") return "Give a name.";
  if (UNSEEN.test(text)) return "The name holds a sign that cannot be seen. Remove it.";
  if ([...text].length <= WORKSPACE_NAME_CHARS_MAX) return null;
  return `Use at most ${WORKSPACE_NAME_CHARS_MAX} characters.`;
}

/** A name nobody has yet, made from the template's. */
export function freeName(title: string, taken: readonly Workspace[]): string {
  const names = new Set(taken.map((row) => row.name.toLowerCase()));
  const stem = title.toLowerCase().replaceAll(" ", "-");
  let name = stem;
  for (let number = 2; names.has(name); number += 1) name = `${stem}-${number}`;
  return name;
}
