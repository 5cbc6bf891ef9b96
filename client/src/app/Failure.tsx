import { Component, type ReactNode } from "react";

/** Stands in for a page that broke, or whose code did not load, and says what to do. */
export class Failure extends Component<{ children: ReactNode }, { isBroken: boolean }> {
  override state = { isBroken: false };

  static getDerivedStateFromError(): { isBroken: boolean } {
    return { isBroken: true };
  }

  override render(): ReactNode {
    if (!this.state.isBroken) return this.props.children;
    return (
      <div role="alert">
        <p>This page could not be shown. What you entered elsewhere is not affected.</p>
        <button
          type="button"
          className="button"
          onClick={() => {
            window.location.reload();
          }}
        >
          Load it again
        </button>
      </div>
    );
  }
}
