/** What the command box offers. */
import { expect, test, vi } from "vitest";
import { action } from "../bench/actions";
import { type Offered, offer } from "./choices";

const nothing = () => undefined;

function offered(part: Partial<Offered> = {}): Offered {
  return {
    files: ["main.py", "src/main.py", "src/stations.py", "tests/test_stations.py"].map((path) => ({
      path,
      size: 1_800,
    })),
    recent: [],
    badges: new Map(),
    actions: [
      action("session.start", "Start session", "play", nothing, {
        unavailable: "A session is running",
      }),
      action("find.file", "Go to file", "search", nothing, { keys: ["Ctrl+P"] }),
    ],
    line: null,
    open: nothing,
    ask: nothing,
    ...part,
  };
}

const labels = (text: string, part?: Partial<Offered>) =>
  offer(text, offered(part)).groups.map((group) => [
    group.title,
    ...group.choices.map(({ label, detail }) => (detail ? `${label} ${detail}` : label)),
  ]);

test("a path finds its file", () => {
  expect(labels("src/main.py")).toEqual([["Files", "main.py src"]]);
});

test("an empty box shows what was opened last, first", () => {
  const recent = ["tests/test_stations.py", "main.py"];
  expect(labels("", { recent })[0]?.slice(0, 3)).toEqual([
    "Recent files",
    "test_stations.py tests",
    "main.py",
  ]);
});

test("files stand before commands, and what cannot be done says why", () => {
  const { groups, count } = offer("sta", offered());
  expect(groups.map((group) => group.title)).toEqual(["Files", "Commands"]);
  expect(count).toBe("2 of 4 files");
  expect(groups[1]?.choices[0]).toMatchObject({
    label: "Start session",
    detail: "A session is running",
    disabled: true,
  });
});

test("marks are those of the name and those of the folder", () => {
  const [choice] = offer("src/sta", offered()).groups[0]?.choices ?? [];
  expect(choice).toMatchObject({ marks: [[0, 3]], detailMarks: [[0, 3]] });
});

test("a state is told before a size", () => {
  const badges = new Map([["src/stations.py", "conflict" as const]]);
  const [choice, other] = offer("stations", offered({ badges })).groups[0]?.choices ?? [];
  expect(choice).toMatchObject({ note: "conflict", warns: true });
  expect(other?.note).toBe("1.8 KB");
});

test("signs choose what is searched", () => {
  expect(labels(">go")).toEqual([["Commands", "Go to file"]]);
  const go = vi.fn();
  const line = { file: "main.py", go };
  offer(":12", offered({ line })).groups[0]?.choices[0]?.run();
  expect(go).toHaveBeenCalledWith(12);
  expect(offer(":12", offered()).nothing).toBe("No text is open.");
  expect(offer(":x", offered({ line })).nothing).toBe("Type the number of a line.");
  expect(labels("?")[0]?.[0]).toBe("What this box understands");
});
