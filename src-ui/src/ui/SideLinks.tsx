/** The side bar of a page of settings: its parts, one below the other, and where the page stands among others. */
import { Icon } from "./Icon";

export interface SidePart {
  /** Id of the part's element. */
  id: string;
  label: string;
  icon: string;
}

export function SideLinks({ title, parts }: { title: string; parts: readonly SidePart[] }) {
  return (
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
  );
}
