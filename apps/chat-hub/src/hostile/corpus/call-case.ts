/** A text frame, and the answers that it must get, by JSON-RPC code or the `data.code` of a refusal; `ok` is a result. */
export interface CallCase {
  readonly name: string;
  readonly text: string;
  readonly answers: readonly (number | string)[];
  /** The id that each answer carries. @default that of the call */
  readonly id?: string | number | null;
}

/** The text of a call; params, and where it matters the id, as JSON already. */
export const callText = (method: string, params: string, id = '"x"') =>
  `{"jsonrpc":"2.0","id":${id},"method":${JSON.stringify(method)},"params":${params}}`;

/** The text, so many times, with commas between. */
export const repeated = (count: number, text: string) => Array<string>(count).fill(text).join(',');
