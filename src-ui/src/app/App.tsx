/** Who is signed in decides what a browser shows: the sign-in page, or everything behind it, which is loaded then. */
import { useCallback, useEffect, useState } from "react";
import { SignInPage } from "../features/account/SignInPage";
import type { Account } from "../host/generated/api/Account";
import type { Kept } from "../host/host";
import { failureOf } from "../host/ide";
import { useHost } from "../host/useHost";
import { Icon } from "../ui/Icon";
import { part } from "../ui/part";

const Home = part(() => import("./Home").then((module) => module.Home), <Splash />);

type Who =
  | { state: "asking" }
  | { state: "nobody" }
  | { state: "unreachable" }
  /** Not `sure`: as it was when the server last answered. */
  | { state: "somebody"; account: Account; sure: boolean };

/** How often a server that does not answer is asked again. */
const AGAIN_MS = 5_000;
/** How long its answer is waited for before anything is shown. */
const PATIENCE_MS = 3_000;

/** In the desktop program everything is there without a sign-in. */
const DesktopHome = part(
  () => import("./DesktopHome").then((module) => module.DesktopHome),
  <Splash />,
);

export function App() {
  return useHost().desktop ? <DesktopHome /> : <Door />;
}

function Door() {
  const { exchange, after, kept } = useHost();
  const [who, setWho] = useState<Who>({ state: "asking" });
  const signedIn = useCallback(
    (account: Account) => {
      keepAccount(kept, account);
      setWho({ state: "somebody", account, sure: true });
    },
    [kept],
  );
  const signedOut = useCallback(() => {
    keepAccount(kept, null);
    setWho({ state: "nobody" });
  }, [kept]);
  const ask = useCallback(async () => {
    try {
      signedIn((await (await exchange("GET", "/account")).json()) as Account);
    } catch (error) {
      const { status } = failureOf(error);
      const refused = status === 401 || status === 403;
      if (refused) keepAccount(kept, null);
      setWho((before) => {
        // What is open stays open: whoever needs the server asks for a new sign-in in place.
        if (before.state === "somebody") return refused ? { ...before, sure: true } : { ...before };
        return refused ? { state: "nobody" } : (whoItWas(kept) ?? { state: "unreachable" });
      });
    }
  }, [exchange, kept, signedIn]);
  useEffect(() => {
    void ask();
    // A server that thinks for long keeps nobody from what is on this computer.
    return after(PATIENCE_MS, () =>
      setWho((before) => (before.state === "asking" ? (whoItWas(kept) ?? before) : before)),
    );
  }, [ask, after, kept]);
  useEffect(() => {
    const unknown = who.state === "unreachable" || (who.state === "somebody" && !who.sure);
    return unknown ? after(AGAIN_MS, () => void ask()) : undefined;
  }, [who, ask, after]);
  switch (who.state) {
    case "asking":
      return <Splash />;
    case "nobody":
      return <SignInPage onSignedIn={signedIn} />;
    case "unreachable":
      return <Unreachable onRetry={() => void ask()} />;
    case "somebody":
      return <Home account={who.account} onAccount={signedIn} onSignedOut={signedOut} />;
  }
}

const ACCOUNT = "slipway.account";

/** Who it was, so that the page is theirs while the server is away; it opens nothing there. */
function keepAccount(kept: Kept, account: Account | null): void {
  if (account) kept.set(ACCOUNT, JSON.stringify(account));
  else kept.remove(ACCOUNT);
}

function whoItWas(kept: Kept): Who | null {
  try {
    const account = JSON.parse(kept.get(ACCOUNT) ?? "null") as Account | null;
    return account && { state: "somebody", account, sure: false };
  } catch {
    return null;
  }
}

function Splash() {
  return (
    <main className="splash late" aria-label="Opening Slipway" aria-busy="true">
      <Icon name="mark" className="accent" />
    </main>
  );
}

function Unreachable({ onRetry }: { onRetry: () => void }) {
  return (
    <main className="splash">
      <div className="empty">
        <Icon name="cloud-off" />
        <h1>The server does not answer</h1>
        <p>
          What you wrote is kept in this browser and will be saved. This page tries again by itself.
        </p>
        <div className="actions">
          <button type="button" className="btn btn-primary" onClick={onRetry}>
            Try now
          </button>
        </div>
      </div>
    </main>
  );
}
