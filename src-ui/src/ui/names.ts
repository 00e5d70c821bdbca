/** Names that can live on every system: the rules of the server, said before anything is sent or made. */
import { NAME_BYTES_MAX } from "../host/generated/limits";

const DEVICES = /^(con|prn|aux|nul|(com|lpt)[0-9¹²³])$/i;
const encoder = new TextEncoder();

/** What is wrong with one name of a file or folder, as a sentence; null: nothing. */
export function nameProblem(name: string): string | null {
  const text = name.normalize("NFC");
  if (text === "") return "Give a name.";
  if (text === "." || text === "..") return `“${text}” means a place itself. Choose a name.`;
  if (text.includes("/")) return "A name has no slash in it. Choose another.";
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
