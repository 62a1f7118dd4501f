/** Thrown when the run cannot begin. The message is one sentence for the user. */
export class LoadgenError extends Error {
  override readonly name = 'LoadgenError';
  readonly code: 'unreachable' | 'refused' | 'invalid_options';

  constructor(code: LoadgenError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
