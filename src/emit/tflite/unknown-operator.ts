/** Operations that Mote does not compile, and what to do instead. */
import { TfliteError } from './tflite-error';

const RECURRENT =
  'Layers with memory (LSTM, GRU, SVDF) are not supported: use 1-D convolutions over a window instead, dilated ones for a ' +
  'long memory.';
const CONTROL = 'Convert the model without control flow and without resource variables (for Keras: with unroll=True).';
const ATTENTION = 'Products of two tensors that both come from the input, as in attention, are not supported.';
const REDUCE = 'Use AVERAGE_POOL_2D, MAX_POOL_2D or MEAN (global pooling) instead.';

/** By name; what is not listed gets the general advice. */
const REMEDIES: Readonly<Record<string, string>> = {
  LSTM: RECURRENT,
  RNN: RECURRENT,
  SVDF: RECURRENT,
  UNIDIRECTIONAL_SEQUENCE_LSTM: RECURRENT,
  UNIDIRECTIONAL_SEQUENCE_RNN: RECURRENT,
  BIDIRECTIONAL_SEQUENCE_LSTM: RECURRENT,
  IF: CONTROL,
  WHILE: CONTROL,
  CALL_ONCE: CONTROL,
  VAR_HANDLE: CONTROL,
  READ_VARIABLE: CONTROL,
  ASSIGN_VARIABLE: CONTROL,
  BATCH_MATMUL: ATTENTION,
  EMBEDDING_LOOKUP: ATTENTION,
  CUSTOM: 'It is an operation of its own, as for the last step of detectors: cut the network before it.',
  PRELU: 'Use LeakyReLU (one slope for all channels) or ReLU.',
  ELU: 'Use LeakyReLU or ReLU.',
  GELU: 'Use ReLU6 or HardSwish.',
  RELU_N1_TO_1: 'Use ReLU6 or tanh.',
  RELU_0_TO_1: 'Use ReLU6.',
  RESIZE_BILINEAR: 'Upsample with the nearest neighbour instead (interpolation="nearest").',
  L2_NORMALIZATION: 'Where it comes last, cut the network before it and normalize in your own code.',
  MIRROR_PAD: 'Pad with zeros instead.',
  SUM: REDUCE,
  REDUCE_MAX: REDUCE,
  REDUCE_MIN: REDUCE,
  ARG_MAX: 'Only as the last operation, over the last axis.',
  SPACE_TO_BATCH_ND: 'Only around one convolution of stride 1, which it makes a dilated one. Use dilation_rate.',
  BATCH_TO_SPACE_ND: 'Only around one convolution of stride 1, which it makes a dilated one. Use dilation_rate.',
  SHAPE: 'Shapes must not depend on the input. Convert the model with fixed sizes and a batch of 1.',
  MAXIMUM: 'Use ReLU or ReLU6.',
  MINIMUM: 'Use ReLU or ReLU6.',
};

const GENERAL =
  'Replace the layer by convolutions, pooling, dense layers, additions or the usual activations, or cut the network ' +
  'before it.';

export function unknownOperator(index: number, name: string): TfliteError {
  return new TfliteError(
    'unknown-op',
    `Operation ${index + 1} is ${name}, which Mote does not compile${name in REMEDIES ? ' here' : ''}. ${REMEDIES[name] ?? GENERAL}`,
  );
}
