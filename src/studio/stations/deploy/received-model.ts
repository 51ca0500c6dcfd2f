/** A record for a model that was made elsewhere: only what its receipt says, nothing guessed. */
import { hasReceipt, type Model } from '../../../emit/model';
import { measureModel } from '../../../emit/size';
import { parsePipeline } from '../../../learn/pipeline-schema';
import type { ModelRecord } from '../../state/models.svelte';

/**
 * @param imageId what the board calls the model when it kept an image of it instead of the pack
 * @throws LearnError `bad-pipeline` when the receipt holds a pipeline that this studio does not understand
 */
export function recordOfReceived(model: Model, warning: string, imageId: number | null = null): ModelRecord {
  const { receipt, labels } = model;
  const { ram, flashWeights, pack } = measureModel(model);
  const { split } = receipt;
  return {
    report: {
      labels,
      seed: receipt.seed,
      dataset_hash: receipt.dataset,
      recordings: { train: split.trainRecordings, validation: 0, test: split.testRecordings },
      windows: { train: split.trainWindows, validation: 0, test: split.testWindows },
      windows_per_label: { train: [], test: [] },
      accuracy: { float: receipt.accuracyFloat, int8: receipt.accuracyInt8 },
      confusion: { float: [], int8: [] },
      epochs_run: 0,
      best_epoch: 0,
      history: [],
      ram,
      flash_weights: flashWeights,
      pack_bytes: pack,
      seconds: {},
      warnings: [warning],
      pipeline: hasReceipt(model) ? parsePipeline(receipt.pipeline) : null,
    },
    dataKey: '',
    pipelineKey: '',
    madeElsewhere: true,
    ...(imageId === null ? {} : { imageId }),
  };
}
