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

/** What is wrong with a name or path typed below `folder`, which holds `siblings`; null: nothing. */
export function newNameProblem(
  typed: string,
  folder: string,
  taken: (path: string) => boolean,
): string | null {
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
  if (taken(path)) return `“${text}” exists here already. Choose another name.`;
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
