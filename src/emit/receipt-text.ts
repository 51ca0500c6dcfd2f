/** The receipt of a model in words, as it stands at the top of `model.h`. Plain text: not yet safe inside C. */
import { hasReceipt, type Model, type ModelSize } from './model';
import { selfTestCount } from './self-test';

function percent(share: number | null): string {
  return share === null ? 'unknown: nothing was held out' : `${(100 * share).toFixed(1)} %`;
}

/** One paragraph per entry; an empty one is a blank line. */
export function receiptLines(model: Model, size: ModelSize, id: number): string[] {
  const { receipt, prefix, labels, input, selfTest } = model;
  const { split } = receipt;
  const channels = input.channels.map(({ name }) => name).join(', ');
  const told = hasReceipt(model);
  const accuracy = told
    ? [
        `Accuracy on held-out recordings: int8 ${percent(receipt.accuracyInt8)}, float ${percent(receipt.accuracyFloat)}.`,
        `Trained on ${split.trainWindows} windows of ${split.trainRecordings} recordings; ` +
          `tested on ${split.testWindows} windows of ${split.testRecordings} other recordings.`,
      ]
    : [`This model was ${receipt.app}: its accuracy, its training and its pipeline are not known.`];
  const id8 = id.toString(16).padStart(8, '0');
  const origin = told
    ? [
        `Made with: ${receipt.app}${receipt.trainedOn === '' ? '' : `, ${receipt.trainedOn}`}. Seed: ${receipt.seed}.`,
        `Model: ${id8}. Dataset: ${receipt.dataset}.`,
        `Pipeline: ${receipt.pipeline}`,
      ]
    : [`Model: ${id8}.`];
  return [
    `${prefix}: a classifier of ${input.windowMs} ms of ${channels} at ${input.rateHz} Hz.`,
    `Labels: ${labels.join(', ')}.`,
    '',
    `Use: #include "model.h" in one source file; give every sample to ${prefix}_push(); run ${prefix}_selftest() once.`,
    '',
    ...accuracy,
    `RAM: ${size.ram} bytes. Flash: ${size.flashWeights} bytes of constants, and the code. Pack: ${size.pack} bytes.`,
    `Self-test: ${selfTestCount(selfTest)} windows, ${selfTest.recordedCount} of them recorded.`,
    '',
    ...origin,
    '',
    'Licence: yours. This file is your own work; use it in any way you like, with no conditions.',
  ];
}
