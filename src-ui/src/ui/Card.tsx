/** One part of a page of settings, and what it shows while its list is on the way or out of reach. */
import type { ReactNode } from "react";
import { failureOf, isOffline } from "../host/ide";
import { lackIn } from "../host/lack";
import { Icon } from "./Icon";

interface CardProps {
  id: string;
  title: string;
  /** What it is for, in a sentence. */
  text?: ReactNode;
  children: ReactNode;
}

export function Card({ id, title, text, children }: CardProps) {
  return (
    <section className="set-card" id={id} aria-labelledby={`${id}-title`}>
      <header>
        <h2 id={`${id}-title`}>{title}</h2>
        {text ? <p className="small muted">{text}</p> : null}
      </header>
      {children}
    </section>
  );
}

interface FailedProps {
  error: Error;
  onRetry: () => void;
  /** What could not be done. */
  title?: string;
  /** What becomes of it while the server does not answer. */
  away?: string;
}

/** Says that a list could not be read: by no fault of the server's while it does not answer, with its words otherwise. */
export function ListFailed({
  error,
  onRetry,
  title = "This could not be read",
  away = "It is asked again when the connection is back.",
}: FailedProps) {
  const failure = failureOf(error);
  const offline = isOffline(failure);
  return (
    <div className={`banner ${offline ? "warn" : "danger"}`} role="alert">
      <Icon name={offline ? "cloud-off" : "error"} />
      <div className="grow">
        <div className="medium">{offline ? lackIn(failure) : title}</div>
        <div className="small muted">{offline ? away : failure.detail}</div>
      </div>
      <button type="button" className="btn btn-sm" onClick={onRetry}>
        Try again
      </button>
    </div>
  );
}

export function ListToCome({ rows, label }: { rows: number; label: string }) {
  return (
    <div className="set-list late" role="status" aria-label={label}>
      {Array.from({ length: rows }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a row to come has nothing else
        <div className="set-row" key={row}>
          <span className="skeleton" style={{ width: `${48 - row * 8}%` }} />
        </div>
      ))}
    </div>
  );
}
