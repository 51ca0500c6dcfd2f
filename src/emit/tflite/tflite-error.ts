/** What can be wrong with a `.tflite` file. */
export type TfliteErrorCode =
  'not-tflite' | 'version' | 'corrupt' | 'unknown-op' | 'unsupported-type' | 'unsupported-shape' | 'too-large';

export class TfliteError extends Error {
  override readonly name = 'TfliteError';
  constructor(
    readonly code: TfliteErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
