/** The way to the sign-in in the desktop program, and back from it to the workspace that somebody came from. */

const PAGE = "/sign-in";
const FROM = "from";

/** The place to sign in, which knows where somebody is now. */
export const toSignIn = () => `${PAGE}?${new URLSearchParams({ [FROM]: location.pathname })}`;

/** The workspace in which the sign-in was asked for, by the query of the sign-in's place; nothing when in none. */
export function cameFrom(query: string): string | null {
  const from = new URLSearchParams(query).get(FROM);
  return from?.startsWith("/w/") ? from : null;
}
