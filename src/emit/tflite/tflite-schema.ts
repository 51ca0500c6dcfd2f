/** The numbers of the TensorFlow Lite schema (version 3) that reader and writer share. */

/** `BuiltinOperator`. */
export const TFLITE_OPERATOR = {
  ADD: 0,
  AVERAGE_POOL_2D: 1,
  CONCATENATION: 2,
  CONV_2D: 3,
  DEPTHWISE_CONV_2D: 4,
  DEQUANTIZE: 6,
  FULLY_CONNECTED: 9,
  LOGISTIC: 14,
  MAX_POOL_2D: 17,
  MUL: 18,
  RELU: 19,
  RELU6: 21,
  RESHAPE: 22,
  SOFTMAX: 25,
  TANH: 28,
  PAD: 34,
  TRANSPOSE: 39,
  MEAN: 40,
  SUB: 41,
  SQUEEZE: 43,
  STRIDED_SLICE: 45,
  PADV2: 60,
  EXPAND_DIMS: 70,
  RESIZE_NEAREST_NEIGHBOR: 97,
  LEAKY_RELU: 98,
  QUANTIZE: 114,
  HARD_SWISH: 117,
} as const;

export type TfliteOperator = keyof typeof TFLITE_OPERATOR;

/** Names of operators that people meet and that are not supported, for messages. */
export const OTHER_OPERATORS: Readonly<Record<number, string>> = {
  5: 'DEPTH_TO_SPACE',
  7: 'EMBEDDING_LOOKUP',
  8: 'FLOOR',
  11: 'L2_NORMALIZATION',
  16: 'LSTM',
  23: 'RESIZE_BILINEAR',
  24: 'RNN',
  26: 'SPACE_TO_DEPTH',
  27: 'SVDF',
  32: 'CUSTOM',
  36: 'GATHER',
  37: 'BATCH_TO_SPACE_ND',
  38: 'SPACE_TO_BATCH_ND',
  42: 'DIV',
  44: 'UNIDIRECTIONAL_SEQUENCE_LSTM',
  47: 'EXP',
  49: 'SPLIT',
  53: 'CAST',
  54: 'PRELU',
  55: 'MAXIMUM',
  56: 'ARG_MAX',
  57: 'MINIMUM',
  65: 'SLICE',
  67: 'TRANSPOSE_CONV',
  74: 'SUM',
  77: 'SHAPE',
  83: 'PACK',
  88: 'UNPACK',
  102: 'SPLIT_V',
  111: 'ELU',
  126: 'BATCH_MATMUL',
};

export const TFLITE_TYPE = { FLOAT32: 0, FLOAT16: 1, INT32: 2, UINT8: 3, INT64: 4, INT16: 7, INT8: 9 } as const;

/** Union ids of `BuiltinOptions`. */
export const TFLITE_OPTIONS = {
  NONE: 0,
  CONV_2D: 1,
  DEPTHWISE_CONV_2D: 2,
  POOL_2D: 5,
  FULLY_CONNECTED: 8,
  SOFTMAX: 9,
  CONCATENATION: 10,
  ADD: 11,
  RESHAPE: 17,
  MUL: 21,
  PAD: 22,
  TRANSPOSE: 26,
  REDUCER: 27,
  SUB: 28,
  SQUEEZE: 30,
  STRIDED_SLICE: 32,
  DEQUANTIZE: 38,
  RESIZE_NEAREST: 74,
  LEAKY_RELU: 75,
  QUANTIZE: 89,
  HARD_SWISH: 91,
} as const;

export const TFLITE_ACTIVATION = { NONE: 0, RELU: 1, RELU_N1_TO_1: 2, RELU6: 3 } as const;
export const TFLITE_PADDING = { SAME: 0, VALID: 1 } as const;
