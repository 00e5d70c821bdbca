/** The head of a view of the side bar: what it is called, and its buttons. */
import type { ReactNode } from "react";

export function SideHead({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="side-head">
      <h2 className="label truncate">{title}</h2>
      {children}
    </div>
  );
}
