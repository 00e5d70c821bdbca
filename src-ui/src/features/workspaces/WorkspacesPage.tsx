/** The list of workspaces: make, open, rename, duplicate, archive, delete, bring back, import, export. */
import { type DragEvent, useCallback, useEffect, useRef, useState } from "react";
import { Link, useLocation } from "wouter";
import type { Template } from "../../host/generated/api/Template";
import type { Workspace } from "../../host/generated/api/Workspace";
import type { WorkspaceFilter } from "../../host/generated/api/WorkspaceFilter";
import type { Workspaces } from "../../host/generated/api/Workspaces";
import { type Exchange, failureOf } from "../../host/ide";
import { useHost } from "../../host/useHost";
import { Icon } from "../../ui/Icon";
import { useNow } from "../../ui/useNow";
import { ago, sessionWords, size } from "./words";

interface MenuEntry {
  label: string;
  danger?: boolean;
  run(): void;
}

interface Props {
  exchange: Exchange;
  menu: (at: Element, entries: readonly (MenuEntry | null)[]) => void;
  ask: (question: {
    title: string;
    label: string;
    value: string;
    yes: string;
    problem?: (value: string) => string | null;
  }) => Promise<string | null>;
  confirm: (question: {
    title: string;
    text: string;
    yes: string;
    danger?: boolean;
  }) => Promise<boolean>;
  toast: (message: { text: string; tone?: "ok" | "warn" | "danger" }) => void;
}

const STARTERS: { template: Template; title: string; text: string; icon: string }[] = [
  { template: "python", title: "Python data", text: "pandas and a small table", icon: "chart" },
  { template: "node", title: "Node", text: "a script and its test", icon: "package" },
  { template: "empty", title: "Empty", text: "nothing in the way", icon: "file" },
];
const FILTERS: [WorkspaceFilter, string][] = [
  ["active", "Active"],
  ["archived", "Archived"],
  ["trash", "Trash"],
];

export function WorkspacesPage({ exchange, menu, ask, confirm, toast }: Props) {
  const host = useHost();
  const now = useNow(60_000);
  const [, go] = useLocation();
  const [filter, setFilter] = useState<WorkspaceFilter>("active");
  const [search, setSearch] = useState("");
  const [rows, setRows] = useState<Workspace[] | null>(null);
  const [failure, setFailure] = useState("");
  const [over, setOver] = useState(false);
  const picker = useRef<HTMLInputElement>(null);
  const searchBox = useRef<HTMLInputElement>(null);

  const load = useCallback(async () => {
    try {
      const answer = await exchange("GET", `/workspaces?filter=${filter}`);
      setRows(((await answer.json()) as Workspaces).workspaces);
      setFailure("");
    } catch (error) {
      setFailure(failureOf(error).detail);
    }
  }, [exchange, filter]);
  useEffect(() => void load(), [load]);
  useEffect(() => {
    const slash = (event: globalThis.KeyboardEvent) => {
      if (event.key !== "/" || event.target instanceof HTMLInputElement) return;
      event.preventDefault();
      searchBox.current?.focus();
    };
    addEventListener("keydown", slash);
    return () => removeEventListener("keydown", slash);
  }, []);

  const act = async (what: () => Promise<unknown>, done?: string) => {
    try {
      await what();
      if (done) toast({ text: done, tone: "ok" });
    } catch (error) {
      toast({ text: failureOf(error).detail, tone: "danger" });
    }
    await load();
  };
  const named = (title: string, yes: string, value: string) =>
    ask({
      title,
      label: "Name",
      value,
      yes,
      problem: (name) => (name.trim() ? null : "Give a name."),
    });

  const create = async (template: Template, title: string) => {
    const taken = new Set(rows?.map((row) => row.name.toLowerCase()));
    const stem = title.toLowerCase().replaceAll(" ", "-");
    let name = stem;
    for (let number = 2; taken.has(name); number += 1) name = `${stem}-${number}`;
    const chosen = await named(`New workspace: ${title}`, "Create", name);
    if (chosen === null) return;
    await act(async () => {
      const answer = await exchange("POST", "/workspaces", { json: { name: chosen, template } });
      go(`/w/${((await answer.json()) as Workspace).id}`);
    });
  };
  const bring = async (file: File) => {
    const name = await named("Import a zip file", "Import", file.name.replace(/\.zip$/i, ""));
    if (name === null) return;
    toast({ text: `Importing ${file.name} (${size(file.size)}) …` });
    await act(
      () =>
        exchange("POST", `/workspaces/import?name=${encodeURIComponent(name)}`, {
          body: file,
          headers: { "content-type": "application/zip" },
        }),
      `${name} is imported.`,
    );
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    const file = event.dataTransfer.files[0];
    if (file) void bring(file);
  };
  const entries = (row: Workspace): (MenuEntry | null)[] => {
    const path = `/workspaces/${row.id}`;
    const patch = (json: unknown) => act(() => exchange("PATCH", path, { json }));
    if (filter === "trash")
      return [
        {
          label: "Bring back",
          run: () => void act(() => exchange("POST", `${path}/recover`), `${row.name} is back.`),
        },
        null,
        {
          label: "Delete for good",
          danger: true,
          run: async () => {
            if (
              await confirm({
                title: `Delete ${row.name} for good?`,
                text: "Its files and their history cannot be brought back.",
                yes: "Delete for good",
                danger: true,
              })
            )
              await act(() => exchange("DELETE", `${path}/trash`));
          },
        },
      ];
    return [
      { label: "Open", run: () => go(`/w/${row.id}`) },
      {
        label: "Rename",
        run: async () => {
          const name = await named("Rename workspace", "Rename", row.name);
          if (name !== null) await patch({ name });
        },
      },
      {
        label: "Duplicate",
        run: async () => {
          const name = await named("Duplicate workspace", "Duplicate", `${row.name} copy`);
          if (name !== null)
            await act(
              () => exchange("POST", `${path}/duplicate`, { json: { name } }),
              `${name} is made.`,
            );
        },
      },
      { label: "Export as zip", run: () => host.download(`${path}/export`) },
      {
        label: row.archived_at ? "Bring back from the archive" : "Archive",
        run: () => void patch({ archived: !row.archived_at }),
      },
      null,
      {
        label: "Delete",
        danger: true,
        run: async () => {
          const name = await ask({
            title: `Delete ${row.name}? It stays in the trash for 30 days.`,
            label: `Type ${row.name} to delete it`,
            value: "",
            yes: "Delete",
          });
          if (name !== null)
            await act(
              () => exchange("DELETE", path, { json: { name } }),
              `${row.name} is in the trash for 30 days.`,
            );
        },
      },
    ];
  };

  const shown = rows?.filter((row) => row.name.toLowerCase().includes(search.trim().toLowerCase()));
  return (
    <section
      className={`workspaces${over ? " is-over" : ""}`}
      aria-label="Workspaces"
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <div className="row workspaces-head">
        <h1 className="grow">Workspaces</h1>
        <input
          ref={picker}
          type="file"
          accept=".zip"
          hidden
          onChange={(event) => event.target.files?.[0] && void bring(event.target.files[0])}
        />
        <button type="button" className="btn btn-lg" onClick={() => picker.current?.click()}>
          <Icon name="upload" />
          Import
        </button>
        <button
          type="button"
          className="btn btn-primary btn-lg"
          aria-haspopup="menu"
          onClick={(event) =>
            menu(
              event.currentTarget,
              STARTERS.map((one) => ({
                label: one.title,
                run: () => void create(one.template, one.title),
              })),
            )
          }
        >
          <Icon name="plus" />
          New workspace
        </button>
      </div>
      <div className="row workspaces-tools">
        <span className="input input-sm">
          <Icon name="search" />
          <input
            ref={searchBox}
            type="search"
            aria-label="Search workspaces"
            placeholder="Search by name"
            value={search}
            onChange={(event) => setSearch(event.target.value)}
          />
        </span>
        <fieldset className="segmented plain-set" aria-label="Which workspaces">
          {FILTERS.map(([value, label]) => (
            <button
              key={value}
              type="button"
              aria-pressed={filter === value}
              className={filter === value ? "is-selected" : ""}
              onClick={() => setFilter(value)}
            >
              {label}
            </button>
          ))}
        </fieldset>
      </div>
      {failure ? (
        <div className="banner danger" role="alert">
          <Icon name="error" />
          <div className="grow">{failure}</div>
          <button type="button" className="btn btn-sm" onClick={() => void load()}>
            Try again
          </button>
        </div>
      ) : null}
      {shown?.length ? (
        <table className="table">
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Language</th>
              <th scope="col">Files</th>
              <th scope="col">Session</th>
              <th scope="col">Last edit</th>
              <th scope="col">
                <span className="visually-hidden">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {shown.map((row) => (
              <tr key={row.id}>
                <td className="medium">
                  {filter === "trash" ? row.name : <Link href={`/w/${row.id}`}>{row.name}</Link>}
                </td>
                <td className="muted">
                  {row.template === "python" ? "Python" : row.template === "node" ? "Node" : "–"}
                </td>
                <td className="muted num">
                  {row.entries} · {size(row.bytes)}
                </td>
                <td>{sessionWords(row)}</td>
                <td className="muted" title={new Date(row.changed_at).toLocaleString()}>
                  {ago(row.changed_at, now)}
                </td>
                <td className="workspaces-more">
                  <button
                    type="button"
                    className="btn btn-ghost btn-icon btn-sm"
                    aria-label={`Actions for ${row.name}`}
                    aria-haspopup="menu"
                    onClick={(event) => menu(event.currentTarget, entries(row))}
                  >
                    <Icon name="more" />
                  </button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      ) : (
        <p className="muted workspaces-empty">
          {rows === null
            ? failure
              ? ""
              : "Loading …"
            : search
              ? "No workspace has this in its name."
              : filter === "active"
                ? "No workspace yet. Start with one of these, or drop a zip file here."
                : "Nothing here."}
        </p>
      )}
      {filter === "active" ? (
        <>
          <h2 className="label workspaces-starters-head">New from template</h2>
          <div className="workspaces-starters">
            {STARTERS.map((one) => (
              <button
                key={one.template}
                type="button"
                className="card starter"
                onClick={() => void create(one.template, one.title)}
              >
                <Icon name={one.icon} />
                <span className="grow">
                  <span className="medium">{one.title}</span>
                  <span className="small faint"> {one.text}</span>
                </span>
                <span className="small accent">Create</span>
              </button>
            ))}
          </div>
        </>
      ) : null}
    </section>
  );
}
