/** Parts of the page whose programs are loaded when they are first shown. */
import { type ComponentType, type ReactNode, useEffect, useState } from "react";
import { Boundary } from "./Boundary";

interface Source<P> {
  load: () => Promise<ComponentType<P>>;
  /** Once it was loaded. */
  known: ComponentType<P> | null;
}

/**
 * A component that is loaded with its first use; until then `waiting` stands in its place, and when it cannot be
 * loaded a boundary says so.
 *
 * Not React's `lazy`: that holds back for 300 ms whatever follows a fallback, and here one part follows another.
 */
export function part<P extends object>(
  load: Source<P>["load"],
  waiting: ReactNode,
): ComponentType<P> {
  const source: Source<P> = { load, known: null };
  return (props) => (
    <Boundary>
      <Loaded source={source} waiting={waiting} props={props} />
    </Boundary>
  );
}

function Loaded<P extends object>({
  source,
  waiting,
  props,
}: {
  source: Source<P>;
  waiting: ReactNode;
  props: P;
}) {
  const [failure, setFailure] = useState<unknown>(null);
  const [Shown, setShown] = useState(() => source.known);
  useEffect(() => {
    if (source.known) return;
    let gone = false;
    source.load().then(
      (loaded) => {
        source.known = loaded;
        if (!gone) setShown(() => loaded);
      },
      (error: unknown) => {
        if (!gone) setFailure(error);
      },
    );
    return () => {
      gone = true;
    };
  }, [source]);
  if (failure) throw failure;
  return Shown ? <Shown {...props} /> : waiting;
}
