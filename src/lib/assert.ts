/** What we broke ourselves. Never for what a peer or an operator can cause. */
export class BrokenInvariant extends Error {
  override readonly name = 'BrokenInvariant';
}

/** @throws {BrokenInvariant} when `condition` is false. */
export function invariant(condition: boolean, what: string): asserts condition {
  if (!condition) throw new BrokenInvariant(what);
}
