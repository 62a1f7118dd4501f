/** Scripts can distinguish failures by these exit codes. */
export const exitCodes = {
  failed: 1,
  usage: 2,
  damaged: 3,
  in_use: 4,
} as const;

export type FailureCode = keyof typeof exitCodes;

export class BackupError extends Error {
  override readonly name = 'BackupError';
  readonly code: FailureCode;

  constructor(code: FailureCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
