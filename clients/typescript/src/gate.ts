// Something to wait for that happens once.

/** Opens once, with a value; who waits for it forever is collected with it. */
export class Gate<T> {
  open: (value: T) => void = () => {};
  readonly opened = new Promise<T>((resolve) => (this.open = resolve));
}
