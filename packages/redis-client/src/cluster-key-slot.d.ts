declare module 'cluster-key-slot' {
  /** The Cluster slot (0 to 16383) of a key or sharded topic. */
  function keySlot(key: string): number;
  export = keySlot;
}
