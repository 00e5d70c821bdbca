/** One-time passwords that can be read over the telephone. */

/** Letters and digits that nobody takes for one another; 32 of them, so that each is 5 bits. */
const LETTERS = "abcdefghijkmnpqrstuvwxyz23456789";

/** Four groups of five letters: 100 bits. */
export function oneTimePassword(randomBytes: (count: number) => Uint8Array): string {
  const random = randomBytes(20);
  const letters = [...random].map((byte) => LETTERS[byte % LETTERS.length]);
  return [0, 5, 10, 15].map((at) => letters.slice(at, at + 5).join("")).join("-");
}
