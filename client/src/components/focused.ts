/** A ref that puts the focus in its element when that appears. */
export function focused(element: HTMLElement | null): void {
  element?.focus();
}
