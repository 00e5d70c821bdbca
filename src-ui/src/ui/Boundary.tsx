/** A part of the page that broke says so and can be loaded again; the rest goes on. */
import { Component, type ReactNode } from "react";
import { HostContext } from "../host/useHost";
import { Empty } from "./Empty";

export class Boundary extends Component<{ children: ReactNode }, { broken: boolean }> {
  static override contextType = HostContext;
  declare context: React.ContextType<typeof HostContext>;
  override state = { broken: false };

  static getDerivedStateFromError() {
    return { broken: true };
  }

  override render() {
    if (!this.state.broken) return this.props.children;
    return (
      <Empty
        icon="error"
        title="This part of the page could not be shown"
        text="What you wrote is kept. Load the page again; if that does not help, check the connection."
        grow
        alert
        actions={
          <button type="button" className="btn btn-primary" onClick={() => this.context?.reload()}>
            Load again
          </button>
        }
      />
    );
  }
}
