/** What the person at the keyboard did wrong: one clear line, exit code 2. */
export type UsageErrorCode = 'bad-arguments' | 'missing-file' | 'unreadable-file' | 'no-recordings' | 'cannot-write';

export class UsageError extends Error {
  override readonly name = 'UsageError';
  constructor(
    readonly code: UsageErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
