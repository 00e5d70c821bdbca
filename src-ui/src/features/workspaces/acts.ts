/** What can be done to workspaces, each with its question before and its message after. */
import { useQueryClient } from "@tanstack/react-query";
import { useLocation } from "wouter";
import type { Template } from "../../host/generated/api/Template";
import type { Workspace } from "../../host/generated/api/Workspace";
import { TRASH_DAYS, WORKSPACE_NAME_CHARS_MAX } from "../../host/generated/limits";
import { failureOf } from "../../host/ide";
import { useHost } from "../../host/useHost";
import { type MenuEntry, type Message, usePopups } from "../../ui/popups";

/** Copying a large workspace takes the server a while. */
const COPY_MS = 300_000;

export interface Acts {
  create(template: Template, title: string, taken: readonly Workspace[]): Promise<void>;
  rename(row: Workspace): Promise<void>;
  duplicate(row: Workspace): Promise<void>;
  download(row: Workspace): void;
  archive(row: Workspace): Promise<void>;
  remove(row: Workspace): Promise<void>;
  recover(row: Workspace): Promise<void>;
  purge(row: Workspace): Promise<void>;
  open(row: Workspace): void;
  name(title: string, yes: string, value: string): Promise<string | null>;
}

export function useActs(): Acts {
  const { exchange, download } = useHost();
  const { ask, toast } = usePopups();
  const client = useQueryClient();
  const [, go] = useLocation();
  const at = (row: Workspace) => `/workspaces/${row.id}`;

  const act = async (what: () => Promise<unknown>, done?: Message) => {
    try {
      await what();
      if (done) toast(done);
    } catch (error) {
      toast({ text: failureOf(error).detail, tone: "danger" });
    }
    await client.invalidateQueries({ queryKey: ["workspaces"] });
  };
  const ok = (text: string): Message => ({ text, tone: "ok" });
  const recover = (row: Workspace) =>
    act(() => exchange("POST", `${at(row)}/recover`), ok(`${row.name} is back.`));
  const name = (title: string, yes: string, value: string) =>
    ask({ title, label: "Name", value, yes, problem: nameProblem });
  const typed = (row: Workspace, title: string, text: string, yes: string) =>
    ask({
      title,
      text,
      label: `Type ${row.name} to confirm`,
      value: "",
      yes,
      danger: true,
      problem: (value) => (value === row.name ? null : `This is not ${row.name}.`),
    });

  return {
    name,
    open: (row) => go(`/w/${row.id}`),
    create: async (template, title, taken) => {
      const chosen = await name(`New workspace: ${title}`, "Create", freeName(title, taken));
      if (chosen === null) return;
      await act(async () => {
        const json = { name: chosen.trim(), template };
        const answer = await exchange("POST", "/workspaces", { json });
        go(`/w/${((await answer.json()) as Workspace).id}`);
      });
    },
    rename: async (row) => {
      const chosen = await name(`Rename ${row.name}`, "Rename", row.name);
      if (chosen !== null)
        await act(() => exchange("PATCH", at(row), { json: { name: chosen.trim() } }));
    },
    duplicate: async (row) => {
      const chosen = await name(`Duplicate ${row.name}`, "Duplicate", `${row.name} copy`);
      if (chosen === null) return;
      const options = { json: { name: chosen.trim() }, patience: COPY_MS };
      await act(() => exchange("POST", `${at(row)}/duplicate`, options), ok(`${chosen} is made.`));
    },
    download: (row) => download(`${at(row)}/export`),
    archive: (row) => {
      const archived = !row.archived_at;
      const done = archived ? `${row.name} is in the archive.` : `${row.name} is back.`;
      return act(() => exchange("PATCH", at(row), { json: { archived } }), ok(done));
    },
    remove: async (row) => {
      const text = `It goes to the trash for ${TRASH_DAYS} days. A running session is stopped.`;
      const typedName = await typed(row, `Delete ${row.name}?`, text, "Delete workspace");
      if (typedName === null) return;
      const undo = { label: "Undo", run: () => void recover(row) };
      const done = { text: `${row.name} is in the trash for ${TRASH_DAYS} days`, action: undo };
      await act(() => exchange("DELETE", at(row), { json: { name: typedName } }), done);
    },
    recover,
    purge: async (row) => {
      const text = "Its files and their history are deleted now and cannot be brought back.";
      const typedName = await typed(row, `Delete ${row.name} for good?`, text, "Delete for good");
      if (typedName !== null)
        await act(() => exchange("DELETE", `${at(row)}/trash`), ok(`${row.name} is gone.`));
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
    { label: "Open", icon: "folder-open", keys: "Enter", run: () => acts.open(row) },
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

export function nameProblem(name: string): string | null {
  if (name.trim() === "") return "Give a name.";
  if ([...name.trim()].length <= WORKSPACE_NAME_CHARS_MAX) return null;
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
