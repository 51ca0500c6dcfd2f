/* Checks of a whole pack: header, numbers, names, blocks, tensors, known answers. */
#include "mote_pack_memory.h"

#include "mote_crc32.h"
#include "mote_flatten.h"
#include "mote_pack_view.h"
#include "mote_raw.h"
#include "mote_spectral.h"

/* Number of features of a block whose parts are in bounds, or negative when it cannot run on this window. */
static int32_t check_block_parameters(const mote_model *m, const block_view *b, int32_t *scratch) {
  switch (b->opcode) {
    case BLOCK_RAW:
      if (b->version != BLOCK_RAW_VERSION) return -1;
      return mote_raw_check(m->window_frames, m->channels, b->axes, b->axis_count, b->ints, b->int_count, b->floats,
                            b->float_count, scratch);
    case BLOCK_FLATTEN:
      if (b->version != BLOCK_FLATTEN_VERSION) return -1;
      return mote_flatten_check(m->window_frames, m->channels, b->axes, b->axis_count, b->ints, b->int_count,
                                b->floats, b->float_count, scratch);
    case BLOCK_SPECTRAL:
      if (b->version != BLOCK_SPECTRAL_VERSION) return -1;
      return mote_spectral_check(m->window_frames, m->channels, b->axes, b->axis_count, b->ints, b->int_count,
                                 b->floats, b->float_count, scratch);
    default:
      return -1;
  }
}

/* Checks all blocks; the largest need of scratch floats, or negative. */
static int32_t check_blocks(const mote_model *m, span s) {
  int32_t features = 0;
  int32_t most_scratch = 0;
  int32_t i;
  for (i = 0; i < m->block_count; i++) {
    block_view block;
    int32_t scratch = 0;
    const uint8_t *head = take(&s, 1, BLOCK_HEAD_BYTES);
    if (head == NULL) return -1;
    if (count_at(head + 8, 1, MOTE_MAX_CHANNELS) < 0) return -1;
    if (count_at(head + 12, 0, MAX_BLOCK_NUMBERS) < 0) return -1;
    if (count_at(head + 16, 0, MAX_BLOCK_NUMBERS) < 0) return -1;
    mote_pack_view_block(head, &block);
    if (take_padded(&s, (uint32_t)block.axis_count) == NULL) return -1;
    if (take(&s, (uint32_t)block.int_count, 4) == NULL) return -1;
    if (take(&s, (uint32_t)block.float_count, 4) == NULL) return -1;
    if (count_at(head + 20, 1, MAX_FEATURES) < 0) return -1;
    if (check_block_parameters(m, &block, &scratch) != block.feature_count) return -1;
    if (read_i32(head + 24) != scratch) return -1;
    features += block.feature_count;
    if (scratch > most_scratch) most_scratch = scratch;
  }
  if (s.left != 0 || features != m->feature_count) return -1;
  return most_scratch;
}

static int check_tensors(const mote_model *m, uint32_t count, int32_t arena, uint32_t constant_bytes) {
  uint32_t i;
  for (i = 0; i < count; i++) {
    const uint8_t *tensor = tensor_at(m, i);
    const uint32_t place = read_u32(tensor + TENSOR_PLACE);
    const int32_t zero_point = read_i32(tensor + TENSOR_ZERO_POINT);
    const int32_t rank = count_at(tensor + TENSOR_RANK, 1, 4);
    const int32_t room = place == IN_ARENA ? arena : (int32_t)constant_bytes;
    const int32_t elements = count_at(tensor + TENSOR_ELEMENTS, 1, MAX_ELEMENTS);
    const int32_t offset = count_at(tensor + TENSOR_OFFSET, 0, room);
    int32_t product = 1;
    int32_t axis;
    if (place != IN_ARENA && place != IN_CONSTANTS) return 0;
    if (rank < 0 || elements < 0 || offset < 0 || elements > room - offset) return 0;
    if (zero_point < -128 || zero_point > 127) return 0;
    for (axis = 0; axis < rank; axis++) {
      const int32_t size = count_at(tensor + TENSOR_SHAPE + 4 * axis, 1, MAX_ELEMENTS);
      if (size < 0 || size > MAX_ELEMENTS / product) return 0;
      product *= size;
    }
    if (product != elements) return 0;
  }
  return 1;
}

/* `count` NUL-terminated strings of sane length fill the section exactly. */
static int check_text(span s, uint32_t count) {
  uint32_t strings = 0;
  uint32_t length = 0;
  uint32_t i;
  for (i = 0; i < s.left; i++) {
    if (read_u8(s.at + i) != 0) {
      length++;
      if (length > MAX_TEXT_BYTES) return 0;
    } else {
      strings++;
      length = 0;
    }
  }
  return strings == count && length == 0;
}

static int check_selftest(mote_model *m, span s) {
  const uint32_t values = (uint32_t)(m->window_frames * m->channels);
  uint32_t windows;
  const uint8_t *head = take(&s, 1, SELFTEST_HEAD_BYTES);
  if (head == NULL) return 0;
  m->recorded_count = count_at(head, 0, MAX_SELFTEST_WINDOWS);
  m->generated_count = count_at(head + 4, 0, MAX_SELFTEST_WINDOWS);
  if (m->recorded_count < 0 || m->generated_count < 0) return 0;
  windows = (uint32_t)(m->recorded_count + m->generated_count);
  if (windows < 1 || windows > MAX_SELFTEST_WINDOWS) return 0;
  if (take(&s, 2 * (uint32_t)m->channels, 4) == NULL || take(&s, windows, 4) == NULL) return 0;
  if (take_padded(&s, windows * (uint32_t)m->label_count) == NULL) return 0;
  return take(&s, (uint32_t)m->recorded_count, 2 * values) != NULL && s.left == 0;
}

/* The numbers of section "spec". */
static int parse_spec(mote_model *m) {
  m->channels = count_at(m->spec + SPEC_CHANNELS, 1, MOTE_MAX_CHANNELS);
  m->window_frames = count_at(m->spec + SPEC_WINDOW_FRAMES, 1, MOTE_MAX_FRAMES);
  m->stride_frames = count_at(m->spec + SPEC_STRIDE_FRAMES, 1, MAX_STRIDE_FRAMES);
  m->label_count = count_at(m->spec + SPEC_LABELS, 1, MAX_LABELS);
  m->feature_count = count_at(m->spec + SPEC_FEATURES, 1, MAX_FEATURES);
  m->block_count = count_at(m->spec + SPEC_BLOCKS, 1, MAX_BLOCKS);
  m->op_count = count_at(m->spec + SPEC_OPS, 1, MAX_OPS);
  m->smoothing_windows = count_at(m->spec + SPEC_SMOOTHING_WINDOWS, 1, MAX_SMOOTHING_WINDOWS);
  m->smoothing_threshold = count_at(m->spec + SPEC_SMOOTHING_THRESHOLD, 0, MAX_THRESHOLD);
  return m->channels > 0 && m->window_frames > 0 && m->stride_frames > 0 && m->label_count > 0 &&
         m->feature_count > 0 && m->block_count > 0 && m->op_count > 0 && m->smoothing_windows > 0 &&
         m->smoothing_threshold >= 0 && m->channels <= MAX_WINDOW_VALUES / m->window_frames;
}

/* The header may have come over a wire, to any address. */
static uint32_t read_anywhere(const uint8_t *p) { return read_u16(p) | (read_u16(p + 2) << 16); }

int32_t mote_pack_size(const uint8_t *header) {
  const uint32_t size = read_anywhere(header + 12);
  if (read_anywhere(header) != 0x45544f4du) return MOTE_E_MAGIC; /* "MOTE" */
  if (read_u16(header + 8) != PACK_VERSION) return MOTE_E_VERSION;
  if (size % 4 != 0 || size < FIRST_SECTION + SPEC_BYTES || size > MAX_PACK_BYTES) return MOTE_E_SIZE;
  return (int32_t)size;
}

/* Checks everything and fills in all of m but its RAM. */
int mote_pack_parse(mote_model *m, const uint8_t *pack, uint32_t size) {
  span sections[SECTION_COUNT];
  int32_t claimed;
  uint32_t total, i, tensor_count, input, output;
  int32_t arena;

  if (!is_aligned(pack)) return MOTE_E_ALIGN;
  if (size < MOTE_PACK_HEADER_BYTES) return MOTE_E_SIZE;
  claimed = mote_pack_size(pack);
  if (claimed < 0) return (int)claimed;
  total = (uint32_t)claimed;
  if (total > size) return MOTE_E_SIZE;
  if (mote_crc32(0, pack + CRC_START, total - CRC_START) != read_u32(pack + 4)) return MOTE_E_CRC;

  if (read_u16(pack + 10) != SECTION_COUNT) return MOTE_E_CORRUPT;
  for (i = 0; i < SECTION_COUNT; i++) {
    const uint32_t start = read_u32(pack + TABLE_OFFSET + 8 * i);
    const uint32_t bytes = read_u32(pack + TABLE_OFFSET + 8 * i + 4);
    if (start % 4 != 0 || start < FIRST_SECTION || start > total || bytes > total - start) return MOTE_E_CORRUPT;
    sections[i].at = pack + start;
    sections[i].left = bytes;
  }
  if (sections[SPEC].left != SPEC_BYTES) return MOTE_E_CORRUPT;

  m->pack = pack;
  m->id = read_u32(pack + 4);
  m->spec = sections[SPEC].at;
  m->text = (const char *)sections[TEXT].at;
  m->blocks = sections[BLOCKS].at;
  m->affine = sections[AFFINE].at;
  m->tensors = sections[TENSORS].at;
  m->constants = sections[CONSTANTS].at;
  m->arena = NULL;
  m->ops = sections[OPS].at;
  m->selftest = sections[SELFTEST].at;
  m->clock_us = NULL;
  if (!parse_spec(m)) return MOTE_E_CORRUPT;

  tensor_count = read_u32(m->spec + SPEC_TENSORS);
  input = read_u32(m->spec + SPEC_INPUT);
  output = read_u32(m->spec + SPEC_OUTPUT);
  arena = count_at(m->spec + SPEC_ARENA, 1, MAX_ARENA_BYTES);
  if (arena < 0 || tensor_count > MAX_TENSORS || input >= tensor_count || output >= tensor_count) return MOTE_E_CORRUPT;
  if (sections[TENSORS].left != tensor_count * TENSOR_BYTES) return MOTE_E_CORRUPT;
  if (!check_tensors(m, tensor_count, arena, sections[CONSTANTS].left)) return MOTE_E_CORRUPT;
  if (read_u32(tensor_at(m, input) + TENSOR_PLACE) != IN_ARENA ||
      read_u32(tensor_at(m, output) + TENSOR_PLACE) != IN_ARENA) {
    return MOTE_E_CORRUPT;
  }
  if (tensor_elements(m, input) != m->feature_count || tensor_elements(m, output) != m->label_count) {
    return MOTE_E_CORRUPT;
  }
  m->input_offset = tensor_offset(m, input);
  m->output_offset = tensor_offset(m, output);
  m->output_zero_point = tensor_zero_point(m, output);

  if (!check_text(sections[TEXT], 1u + (uint32_t)m->label_count + 2u * (uint32_t)m->channels + tensor_count)) {
    return MOTE_E_CORRUPT;
  }
  if (check_blocks(m, sections[BLOCKS]) != read_i32(m->spec + SPEC_SCRATCH)) return MOTE_E_CORRUPT;
  if (read_i32(m->spec + SPEC_SCRATCH) < 0) return MOTE_E_CORRUPT;
  if (sections[AFFINE].left != 8u * (uint32_t)m->feature_count) return MOTE_E_CORRUPT;
  if (!mote_pack_check_ops(m, sections[OPS], tensor_count, arena)) return MOTE_E_CORRUPT;
  if (!check_selftest(m, sections[SELFTEST])) return MOTE_E_CORRUPT;
  return MOTE_OK;
}
