/** Which server of a Cluster takes writes for which slot, as last learnt. */
export interface Topology {
  /** The addresses (`host:port`) of all masters that hold slots. */
  owners(): ReadonlySet<string>;
  /** The master of one slot. */
  ownerOf(slot: number): string | undefined;
  /** Asks the cluster again; answers come as a change. */
  refresh(): void;
  /** Called each time the cluster was asked, changed or not. */
  onRefresh(listener: () => void): void;
}
