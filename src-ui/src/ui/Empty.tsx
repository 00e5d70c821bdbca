/** What stands where there is nothing to show: why, and what helps. */
import type { ReactNode } from "react";
import { Icon } from "./Icon";

interface Props {
  /** Without one, something is under way. */
  icon?: string;
  title: string;
  text?: ReactNode;
  /** Buttons. */
  actions?: ReactNode;
  /** Fills the room that its place leaves. */
  grow?: boolean;
  /** It is seldom waited for: shown only when it takes long. */
  late?: boolean;
  /** It came in place of something. */
  alert?: boolean;
  children?: ReactNode;
}

export function Empty({ icon, title, text, actions, grow, late, alert, children }: Props) {
  const classes = ["empty", grow ? "is-whole" : "", late ? "late" : ""].filter(Boolean).join(" ");
  return (
    <div className={classes} role={alert ? "alert" : undefined}>
      {icon ? <Icon name={icon} /> : <span className="spinner" />}
      <h2>{title}</h2>
      {text ? <p className="small">{text}</p> : null}
      {actions ? <div className="actions">{actions}</div> : null}
      {children}
    </div>
  );
}
