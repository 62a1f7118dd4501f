/** An answer is a JSON-RPC code, a refusal's `data.code`, or `ok` for a result. */
export interface CallCase {
  readonly name: string;
  readonly text: string;
  readonly answers: readonly (number | string)[];
  /** Each answer must have this id. @default the call's id */
  readonly id?: string | number | null;
}

export const callText = (method: string, params: string, id = '"x"') =>
  `{"jsonrpc":"2.0","id":${id},"method":${JSON.stringify(method)},"params":${params}}`;

export const repeated = (count: number, text: string) => Array<string>(count).fill(text).join(',');
