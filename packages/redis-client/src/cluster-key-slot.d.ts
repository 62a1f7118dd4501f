declare module 'cluster-key-slot' {
  /** 0 to 16383. */
  function keySlot(key: string): number;
  export = keySlot;
}
