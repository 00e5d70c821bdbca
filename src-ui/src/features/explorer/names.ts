/** Paths that can live on every system: the rules of the server, said before anything is sent. */

import {
  IGNORED_AROUND,
  IGNORED_BEGINS,
  IGNORED_ENDS,
  IGNORED_FILES,
  IGNORED_FOLDERS,
} from "../../host/generated/ignored";
import { PATH_BYTES_MAX, PATH_DEPTH_MAX } from "../../host/generated/limits";
import { nameProblem } from "../../ui/names";

const encoder = new TextEncoder();

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
  if (path.split("/").length > PATH_DEPTH_MAX)
    return `The path stands below more than ${PATH_DEPTH_MAX} folders. Use fewer.`;
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

/** Whether sessions leave a path out, whatever the workspace's own rules say. */
export function isLeftOut(path: string, isFolder: boolean): boolean {
  const above = parentOf(path).split("/");
  const name = nameOf(path);
  if (above.some((folder) => IGNORED_FOLDERS.includes(folder))) return true;
  return isFolder
    ? IGNORED_FOLDERS.includes(name)
    : IGNORED_FILES.includes(name) ||
        IGNORED_ENDS.some((end) => name.endsWith(end)) ||
        IGNORED_BEGINS.some((begin) => name.startsWith(begin)) ||
        IGNORED_AROUND.some((around) => isAround(name, around));
}

/** Whether a name begins and ends so, each with letters of its own. */
function isAround(name: string, around: string): boolean {
  return name.length >= 2 * around.length && name.startsWith(around) && name.endsWith(around);
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
