/** The editor without an open file: the keys to begin with, and what was read lately. */
import { useBench, useStore } from "../../bench/bench";
import { fileIcon } from "../../ui/fileIcon";
import { Icon } from "../../ui/Icon";
import type { Editor } from "./editor";

const KEYS: readonly (readonly [string, readonly string[]])[] = [
  ["Open a file", ["Ctrl", "P"]],
  ["All commands", ["Ctrl", "Shift", "P"]],
  ["Run", ["Ctrl", "F5"]],
  ["Terminal", ["Ctrl", "`"]],
];

export function Nothing({ editor }: { editor: Editor }) {
  const { live } = useBench();
  const lately = useStore(editor.tabs.store, (state) => state.recent);
  useStore(live.store, (state) => state.treeVersion);
  const there = lately.filter((path) => live.entries.has(path)).slice(0, 5);
  return (
    <div className="editor-nothing">
      <Icon name="mark" />
      <dl>
        {KEYS.map(([what, keys]) => (
          <div key={what}>
            <dt>{what}</dt>
            <dd>
              {keys.map((key) => (
                <span key={key} className="kbd">
                  {key}
                </span>
              ))}
            </dd>
          </div>
        ))}
      </dl>
      {there.length > 0 ? (
        <section className="editor-lately" aria-label="Recent files">
          <h2 className="label">Recent files</h2>
          {there.map((path) => (
            <button
              key={path}
              type="button"
              className="btn btn-ghost"
              onClick={() => editor.open(path)}
            >
              <Icon name={fileIcon(path.slice(path.lastIndexOf("/") + 1))} />
              {path}
            </button>
          ))}
        </section>
      ) : null}
    </div>
  );
}
