/**
 * How many of the guest's pages are dirty, where nobody says which: the source of a machine that is not ours keeps its
 * dirty log to itself. Its pages are asked for, and those that are clean do not come.
 */
export class DirtyCount {
  readonly dirtyPages: number;

  constructor(dirtyPages: number) {
    this.dirtyPages = dirtyPages;
  }

  count(): number {
    return this.dirtyPages;
  }
}
