/** What the examples in C have in common: the self-test's verdict, and a line of text for a result. */
import type { CPrinter } from '../c-printer';
import type { BundleFacts } from './bundle-facts';

/** Comment lines for the channels of a sample, in order. */
export function channelComments({ model, paced }: BundleFacts): string[] {
  if (!paced) return ["The next value of the network's input."];
  return model.input.channels.map(
    ({ name, unit }, index) => `sample[${index}]: ${unit === '' ? name : `${name} in ${unit}`}`,
  );
}

/** The comment before `read_sample`. */
export function sampleComment({ model, paced }: BundleFacts): string {
  if (!paced)
    return "Where values go in: the values of the network's input, one per call, in the units of its float input.";
  const { channels, rateHz } = model.input;
  return (
    `Where samples go in: ${channels.length} channels at ${rateHz} Hz, in the same order and units as in the ` +
    'recordings. Replace this by a function that reads your sensor.'
  );
}

/** `static int self_test(void)`: runs the embedded windows, says the verdict by `print`, returns how many failed. */
export function printSelfTest(out: CPrinter, { x, X }: BundleFacts, print: string): void {
  out.comment([
    'Classifies the windows that the model brings along. The board must give the very bytes that the studio computed.',
  ]);
  out.block('static int self_test(void)', () => {
    out.line(`const int failed = ${x}_selftest();`);
    out.line(`${print}("Self-test %s: %d of %d windows identical\\n", failed == 0 ? "passed" : "FAILED",`);
    out.line(`    ${X}_SELFTEST_COUNT - failed, ${X}_SELFTEST_COUNT);`);
    out.line('return failed;');
  });
  out.gap();
}

/** `static void print_result(const x_result *result)`. Whole numbers only: small C libraries print no floats. */
export function printPrintResult(out: CPrinter, { x, X, probabilities }: BundleFacts, print: string): void {
  out.block(`static void print_result(const ${x}_result *result)`, () => {
    out.line('const int score = result->scores[result->best];');
    if (probabilities) {
      out.line(
        `const int percent = (int)(100.0f * ${X}_OUTPUT_SCALE * (float)(score - ${X}_OUTPUT_ZERO_POINT) + 0.5f);`,
      );
    }
    out.line(`${print}("%s (this window: %s, ${probabilities ? '%d %%' : 'score %d of -128..127'})\\n",`);
    out.line(`    result->decision < 0 ? "uncertain" : ${x}_label(result->decision), ${x}_label(result->best),`);
    out.line(`    ${probabilities ? 'percent' : 'score'});`);
  });
  out.gap();
}
