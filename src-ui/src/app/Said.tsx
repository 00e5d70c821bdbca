/** A line that is not seen: a screen reader reads what goes on in the workspace when it has the time. */
import { useEffect, useState } from "react";
import { useBench } from "../bench/bench";
import { newsOf } from "./saidWords";

export function Said() {
  const { live } = useBench();
  const [said, setSaid] = useState("");
  useEffect(
    () =>
      live.store.subscribe((now, before) => {
        const news = newsOf(now, before, live.waits);
        if (news !== "") setSaid(news);
      }),
    [live],
  );
  return (
    <p className="visually-hidden" role="status">
      {said}
    </p>
  );
}
