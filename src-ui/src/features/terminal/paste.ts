/** What a paste may bring into a terminal, and the bytes that keys become. */

const encoder = new TextEncoder();

export interface Paste {
  text: string;
  lines: number;
}

/** Without control characters that could act by themselves; line ends become what Enter sends. */
export function cleanPaste(text: string): Paste {
  const cleaned = text
    .replace(/\r\n?|\n/g, "\r")
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g, "");
  const body = cleaned.endsWith("\r") ? cleaned.slice(0, -1) : cleaned;
  return { text: cleaned, lines: body.split("\r").length };
}

/** Text typed, as UTF-8. */
export function typedBytes(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Legacy mouse reports: one byte for each character. */
export function binaryBytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0) & 0xff);
}
