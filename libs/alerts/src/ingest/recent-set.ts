/** Remembers what was added lately: at least the last half of `capacity`, at the most all of it. */
export class RecentSet<Item> {
  private young = new Set<Item>();
  private old = new Set<Item>();

  constructor(private readonly capacity: number) {}

  add(item: Item): void {
    this.young.add(item);
    if (this.young.size < this.capacity / 2) return;
    this.old = this.young;
    this.young = new Set();
  }

  has(item: Item): boolean {
    return this.young.has(item) || this.old.has(item);
  }
}
