/** A page of settings: its parts one below the other, and links to them at the side. */
import type { ReactNode } from "react";
import { Icon } from "./Icon";

export interface SidePart {
  /** Id of the part's element. */
  id: string;
  label: string;
  icon: string;
}

interface Props {
  title: string;
  parts: readonly SidePart[];
  children: ReactNode;
}

export function SettingsPage({ title, parts, children }: Props) {
  return (
    <>
      <nav className="side page-side" aria-label={title}>
        <div className="side-head">
          <span className="label">{title}</span>
        </div>
        <ul>
          {parts.map(({ id, label, icon }) => (
            <li key={id}>
              <a className="side-row" href={`#${id}`}>
                <Icon name={icon} />
                <span className="grow">{label}</span>
              </a>
            </li>
          ))}
        </ul>
      </nav>
      <main className="main page-main">
        <div className="page-head">
          <h1>{title}</h1>
        </div>
        <div className="set">{children}</div>
      </main>
    </>
  );
}
