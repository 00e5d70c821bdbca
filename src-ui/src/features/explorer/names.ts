/** Names that can live on every system: the rules of the server, said before anything is sent. */

const NAME_BYTES_MAX = 255;
const PATH_BYTES_MAX = 4096;
const DEVICES = /^(con|prn|aux|nul|(com|lpt)[0-9¹²³])$/i;
const encoder = new TextEncoder();

/** What is wrong with one name, as a sentence; null: nothing. */
export function nameProblem(name: string): string | null {
  const text = name.normalize("NFC");
  if (text === "") return "Give a name.";
  if (text === "." || text === "..") return `“${text}” means a place itself. Choose a name.`;
  if (encoder.encode(text).length > NAME_BYTES_MAX)
    return `The name is longer than ${NAME_BYTES_MAX} bytes. Shorten it.`;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u001f\u007f-\u009f]/.test(text))
    return "The name contains a control character. Remove it.";
  const bad = /[<>:"|?*\\]/.exec(text);
  if (bad) return `Windows cannot hold “${bad[0]}” in a name. Choose another.`;
  if (/[. ]$/.test(text)) return "Windows cannot hold a dot or space at the end. Remove it.";
  const stem = (text.split(".")[0] ?? text).trimEnd();
  if (DEVICES.test(stem)) return `“${text}” is reserved on Windows. Choose another.`;
  if (text.toLowerCase() === ".slipway")
    return "“.slipway” belongs to Slipway itself. Choose another.";
  return null;
}

/** What stands in the way of a new path: itself, or a name that differs from one of its own only in letter case. */
export type InTheWay = (path: string) => string | null;

/** What is wrong with a name or path typed below `folder`; null: nothing. */
export function newNameProblem(typed: string, folder: string, inTheWay: InTheWay): string | null {
  const text = typed.normalize("NFC");
  if (text.startsWith("/") || text.endsWith("/") || text.includes("//"))
    return "Use single slashes between names, none at the ends.";
  for (const part of text.split("/")) {
    const problem = nameProblem(part);
    if (problem) return problem;
  }
  const path = join(folder, text);
  if (encoder.encode(path).length > PATH_BYTES_MAX)
    return `The path is longer than ${PATH_BYTES_MAX} bytes. Use fewer or shorter folders.`;
  const other = inTheWay(path);
  if (other === path) return `“${text}” exists here already. Choose another name.`;
  if (other !== null)
    return `“${other}” differs only in letter case, which Windows and macOS cannot hold. Choose another name.`;
  return null;
}

export function join(folder: string, name: string): string {
  return folder === "" ? name : `${folder}/${name}`;
}

export function parentOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "" : path.slice(0, slash);
}

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** Equal for two paths that differ only in letter case or Unicode form. */
export function foldKey(path: string): string {
  return path.normalize("NFC").toLowerCase().replaceAll("ß", "ss").normalize("NFC");
}

/** Folders that tools fill by themselves. A session's copy stays in the session: `crates/sync/src/ignore.rs`. */
const LEFT_OUT = new Set([
  ".slipway",
  ".git",
  "node_modules",
  ".venv",
  "venv",
  "__pycache__",
  ".mypy_cache",
  ".pytest_cache",
  ".ruff_cache",
  ".ipynb_checkpoints",
  ".tox",
  ".nox",
  ".npm",
  ".cache",
]);

/** Whether sessions leave a path out. */
export function isLeftOut(path: string): boolean {
  return path.split("/").some((name) => LEFT_OUT.has(name));
}

/** A name beside `path` that is free: `notes copy.md`, `notes copy 2.md`. */
export function freeName(path: string, taken: (path: string) => boolean): string {
  const folder = parentOf(path);
  const name = nameOf(path);
  const dot = name.lastIndexOf(".");
  const [stem, end] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ""];
  for (let count = 1; ; count += 1) {
    const candidate = join(folder, `${stem} copy${count === 1 ? "" : ` ${count}`}${end}`);
    if (!taken(candidate)) return candidate;
  }
}
