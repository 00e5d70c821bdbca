/** Lines of a text in the colours of its language, for what is drawn without an editor. */

type Monaco = typeof import("../monaco");

/** Some letters in one colour; empty: that of plain text. */
export interface Piece {
  text: string;
  colour: string;
}

/** What tokens of Monaco begin with, the more exact first, as the themes have them. */
const COLOURS: readonly (readonly [string, string])[] = [
  ["comment", "comment"],
  ["string.escape", "number"],
  ["string.key", "function"],
  ["string", "string"],
  ["keyword", "keyword"],
  ["number", "number"],
  ["type", "type"],
  ["tag", "keyword"],
  ["attribute.name", "function"],
  ["attribute.value", "string"],
  ["predefined", "function"],
];

function colourOf(token: string): string {
  const found = COLOURS.find(([start]) => token.startsWith(start));
  return found ? `var(--syn-${found[1]})` : "";
}

/** Each line in pieces. */
export async function coloured(monaco: Monaco, text: string, language: string): Promise<Piece[][]> {
  const { editor } = monaco.monaco;
  // A language comes when it is first needed; this waits for it.
  await editor.colorize("", language, {});
  const lines = text.split(/\r?\n/);
  return editor.tokenize(text, language).map((tokens, index) => {
    const line = lines[index] ?? "";
    return tokens.map(({ offset, type }, at) => ({
      text: line.slice(offset, tokens[at + 1]?.offset ?? line.length),
      colour: colourOf(type),
    }));
  });
}

/** The pieces before, within and after some letters. */
export function parted(
  pieces: readonly Piece[],
  [from, to]: readonly [number, number],
): readonly [Piece[], Piece[], Piece[]] {
  const parts: [Piece[], Piece[], Piece[]] = [[], [], []];
  let at = 0;
  for (const { text, colour } of pieces) {
    const end = at + text.length;
    const ends = [at, Math.min(end, from), Math.min(end, to), end];
    for (const part of [0, 1, 2] as const) {
      const [start = at, stop = end] = [Math.max(at, ends[part] ?? at), ends[part + 1]];
      if (stop > start) parts[part].push({ text: text.slice(start - at, stop - at), colour });
    }
    at = end;
  }
  return parts;
}
