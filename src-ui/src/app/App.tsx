/** Who is signed in decides what is shown: the sign-in page, or everything behind it, which is loaded then. */
import { lazy, Suspense, useCallback, useEffect, useState } from "react";
import { SignInPage } from "../features/account/SignInPage";
import type { Account } from "../host/generated/api/Account";
import { failureOf } from "../host/ide";
import { useHost } from "../host/useHost";
import { Boundary } from "../ui/Boundary";
import { Icon } from "../ui/Icon";

const Home = lazy(() => import("./Home").then((module) => ({ default: module.Home })));

type Who =
  | { state: "asking" }
  | { state: "nobody" }
  | { state: "unreachable"; detail: string }
  | { state: "somebody"; account: Account };

/** How often a server that does not answer is asked again. */
const AGAIN_MS = 5_000;

export function App() {
  const { exchange, after } = useHost();
  const [who, setWho] = useState<Who>({ state: "asking" });
  const ask = useCallback(async () => {
    try {
      const account = (await (await exchange("GET", "/account")).json()) as Account;
      setWho({ state: "somebody", account });
    } catch (error) {
      const failure = failureOf(error);
      setWho(
        failure.status === 401 || failure.status === 403
          ? { state: "nobody" }
          : { state: "unreachable", detail: failure.detail },
      );
    }
  }, [exchange]);
  useEffect(() => void ask(), [ask]);
  useEffect(
    () => (who.state === "unreachable" ? after(AGAIN_MS, () => void ask()) : undefined),
    [who, ask, after],
  );
  switch (who.state) {
    case "asking":
      return <Splash />;
    case "nobody":
      return <SignInPage onSignedIn={(account) => setWho({ state: "somebody", account })} />;
    case "unreachable":
      return <Unreachable onRetry={() => void ask()} />;
    case "somebody":
      return (
        <Boundary>
          <Suspense fallback={<Splash />}>
            <Home
              account={who.account}
              onAccount={(account) => setWho({ state: "somebody", account })}
              onSignedOut={() => setWho({ state: "nobody" })}
            />
          </Suspense>
        </Boundary>
      );
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
