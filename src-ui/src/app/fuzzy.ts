/** How well a text fits what was typed, and which letters of it: for files and commands alike. */

export interface Fit {
  score: number;
  /** Where the fitting letters are: [from, to), in order. */
  marks: readonly (readonly [number, number])[];
}

const WORD_START = /[\s/._\-(]/;
/** So many places where the first letter may stand are tried. */
const STARTS_MAX = 12;

/** Null: does not fit. Every word that was typed must be found; an empty wish fits everything. */
export function fitText(text: string, wanted: string): Fit | null {
  const hay = text.toLowerCase();
  const marks: [number, number][] = [];
  let score = 0;
  for (const word of wanted.toLowerCase().split(/\s+/).filter(Boolean)) {
    const found = fitWord(text, hay, word);
    if (!found) return null;
    score += found.score;
    marks.push(...found.marks.map(([from, to]): [number, number] => [from, to]));
  }
  return { score, marks: united(marks) };
}

/** A file fits by its name before it fits by its folders; marks count from the start of the path. */
export function fitPath(path: string, wanted: string): Fit | null {
  const slash = path.lastIndexOf("/") + 1;
  const byName = wanted.includes("/") ? null : fitText(path.slice(slash), wanted);
  if (byName)
    return {
      score: byName.score + 50,
      marks: byName.marks.map(([from, to]) => [from + slash, to + slash] as const),
    };
  return fitText(path, wanted);
}

function fitWord(text: string, hay: string, word: string): Fit | null {
  const whole = wholeWord(text, hay, word);
  if (whole) return whole;
  let best: Fit | null = null;
  let tried = 0;
  for (let at = hay.indexOf(word[0] ?? ""); at >= 0; at = hay.indexOf(word[0] ?? "", at + 1)) {
    const found = letters(text, hay, word, at);
    // What fits from no start fits from no later one either.
    if (!found) break;
    if (!best || found.score > best.score) best = found;
    tried += 1;
    if (tried >= STARTS_MAX) break;
  }
  return best;
}

/** The word as it stands, at the start of a word if there is one. */
function wholeWord(text: string, hay: string, word: string): Fit | null {
  let at = hay.indexOf(word);
  if (at < 0) return null;
  for (let next = at; next >= 0; next = hay.indexOf(word, next + 1))
    if (startsWord(text, next)) {
      at = next;
      break;
    }
  const exact = at === 0 && word.length === hay.length ? 40 : 0;
  const score = 100 + word.length + (at === 0 ? 40 : startsWord(text, at) ? 30 : 0) + exact;
  return { score, marks: [[at, at + word.length]] };
}

/** Its letters in order from a given start, at starts of words where the rest still fits. */
function letters(text: string, hay: string, word: string, start: number): Fit | null {
  const marks: [number, number][] = [];
  let score = 0;
  let from = start;
  for (let index = 0; index < word.length; index += 1) {
    const rest = word.slice(index);
    const found = index === 0 ? start : place(text, hay, rest, from);
    if (found < 0) return null;
    const last = marks.at(-1);
    if (last && last[1] === found) {
      last[1] = found + 1;
      score += 3;
    } else {
      marks.push([found, found + 1]);
      score -= Math.min(3, found - from);
    }
    if (startsWord(text, found)) score += 5;
    from = found + 1;
  }
  return { score, marks };
}

function place(text: string, hay: string, rest: string, from: number): number {
  const letter = rest[0] ?? "";
  const next = hay.indexOf(letter, from);
  if (next < 0 || next === from) return next;
  for (let at = next; at >= 0; at = hay.indexOf(letter, at + 1))
    if (startsWord(text, at) && inOrder(hay, rest, at)) return at;
  return next;
}

function inOrder(hay: string, letters: string, from: number): boolean {
  let at = from;
  for (const letter of letters) {
    at = hay.indexOf(letter, at);
    if (at < 0) return false;
    at += 1;
  }
  return true;
}

function startsWord(text: string, at: number): boolean {
  if (at === 0 || WORD_START.test(text[at - 1] ?? "")) return true;
  return /[a-z][A-Z]/.test(text.slice(at - 1, at + 1));
}

function united(marks: [number, number][]): [number, number][] {
  const joined: [number, number][] = [];
  for (const mark of marks.sort((a, b) => a[0] - b[0])) {
    const last = joined.at(-1);
    if (last && mark[0] <= last[1]) last[1] = Math.max(last[1], mark[1]);
    else joined.push(mark);
  }
  return joined;
}
