/*
 * QEMU plugin (TCG plugin API 1): counts the instructions that run between two places of a program, and estimates the
 * cycles that they would take on a Cortex-M4 or M0+.
 *
 *   -plugin ./instruction-count.so,begin=0xADDRESS,end=0xADDRESS,mark=0xADDRESS,core=m4|m0plus|none,out=FILE
 *
 * Whenever the mark is passed in between, the cycles so far are noted; it costs what the calls of it cost.
 *
 * Cost model, from Arm's Technical Reference Manuals (Cortex-M4 DDI 0439, Cortex-M0+ DDI 0484), without wait states:
 *   M4:  load 2, or 1 right after another single load or store; store 1; LDM, STM, PUSH, POP 1 + registers; LDRD, STRD 3;
 *        taken branch 2 more; divide 7; VDIV 14; everything else, multiplications of any kind included, 1.
 *   M0+: load and store 2; LDM, STM 1 + registers; taken branch 1 more, 2 for BL; multiplication 1; everything else 1.
 * It is a model: measured boards are within 10 to 15 percent of it where the flash keeps up.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Debian ships QEMU with plugins but without their header: the few declarations that are needed. */
typedef uint64_t qemu_plugin_id_t;
typedef struct {
  const char *target_name;
  struct {
    int min, cur;
  } version;
  bool system_emulation;
} qemu_info_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
#define EXPORT __attribute__((visibility("default")))
EXPORT int qemu_plugin_version = 1;
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t, void (*)(qemu_plugin_id_t, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *, void (*)(unsigned, void *), int, void *);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *);

enum core { NONE, M4, M0PLUS };

/* What one run of a block of code costs. */
typedef struct {
  uint64_t start;
  uint64_t next; /* where execution goes on when its last branch is not taken */
  uint32_t instructions;
  uint32_t cycles;
  bool ends_with_link; /* BL or BLX */
} block;

static enum core core = NONE;
static uint64_t begin_at, end_at, mark_at = UINT64_MAX;
static const char *out_name = "instruction-count.txt";
static bool counting;
static const block *previous;
static uint64_t instructions, cycles;
#define MOST_MARKS 256
static uint64_t marks[MOST_MARKS];
static size_t mark_count;

static unsigned ones(unsigned bits) { return (unsigned)__builtin_popcount(bits); }

/* Adds one Thumb instruction of two or four bytes. `after_single` tells whether a single load or store came before. */
static void add_thumb(block *b, const uint8_t *bytes, size_t size, bool *after_single) {
  const unsigned first = bytes[0] | (unsigned)bytes[1] << 8;
  unsigned cost = 1;
  bool single = false, load = false;
  b->ends_with_link = false;
  if (size == 2) {
    if ((first & 0xf800) == 0x4800) { /* LDR literal */
      single = load = true;
    } else if ((first & 0xf000) == 0x5000) { /* register offset */
      single = true;
      load = ((first >> 9) & 7) >= 3;
    } else if ((first & 0xe000) == 0x6000 || (first & 0xf000) == 0x8000 || (first & 0xf000) == 0x9000) {
      single = true;
      load = (first & 0x800) != 0;
    } else if ((first & 0xfe00) == 0xb400 || (first & 0xfe00) == 0xbc00) { /* PUSH, POP */
      cost = 1 + ones(first & 0x1ff);
    } else if ((first & 0xf000) == 0xc000) { /* LDM, STM */
      cost = 1 + ones(first & 0xff);
    } else if ((first & 0xff00) == 0x4700) { /* BX, BLX */
      b->ends_with_link = (first & 0x80) != 0;
    }
  } else {
    const unsigned second = bytes[2] | (unsigned)bytes[3] << 8;
    if ((first & 0xfe40) == 0xe800) { /* LDM, STM */
      cost = 1 + ones(second);
    } else if ((first & 0xfe40) == 0xe840) { /* LDRD, STRD; table branches are loads */
      cost = (first & 0xfff0) == 0xe8d0 && (second & 0xf0e0) == 0xf000 ? 2 : 3;
    } else if ((first & 0xfe00) == 0xf800) { /* LDR, STR */
      single = true;
      load = (first & 0x10) != 0;
    } else if ((first & 0xf800) == 0xf000 && (second & 0x8000)) { /* branches */
      b->ends_with_link = (second & 0xd000) == 0xd000;
    } else if ((first & 0xff80) == 0xfb80 && ((first & 0x70) == 0x10 || (first & 0x70) == 0x30)) { /* divide */
      cost = 7;
    } else if ((first & 0xee00) == 0xec00) { /* floating point loads and stores */
      const bool many = (first & 0x01a0) == 0x00a0 || (first & 0x01a0) == 0x0120;
      cost = 1 + (many ? second & 0xff : 1);
    } else if ((first & 0xefb0) == 0xee80 && (second & 0x0e50) == 0x0a00) { /* VDIV */
      cost = 14;
    }
  }
  if (single) cost = core == M0PLUS ? 2 : load && !*after_single ? 2 : 1;
  *after_single = single;
  b->cycles += cost;
}

static void report(void) {
  FILE *file = fopen(out_name, "w");
  size_t i;
  if (file == NULL) return;
  fprintf(file, "{\"instructions\": %llu, \"cycles\": %llu, \"marks\": [", (unsigned long long)instructions,
          (unsigned long long)cycles);
  for (i = 0; i < mark_count; i++) fprintf(file, "%s%llu", i == 0 ? "" : ", ", (unsigned long long)marks[i]);
  fprintf(file, "]}\n");
  fclose(file);
}

static void on_run(unsigned cpu, void *data) {
  const block *b = data;
  (void)cpu;
  if (b->start == begin_at) {
    counting = true;
    previous = NULL;
    instructions = cycles = mark_count = 0;
  }
  if (b->start == end_at && counting) {
    counting = false;
    report();
  }
  if (!counting) return;
  if (b->start == mark_at && mark_count < MOST_MARKS) marks[mark_count++] = cycles;
  if (previous != NULL && previous->next != b->start) cycles += core != M0PLUS || previous->ends_with_link ? 2 : 1;
  instructions += b->instructions;
  cycles += b->cycles;
  previous = b;
}

static void on_translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb) {
  block *b = calloc(1, sizeof *b);
  bool after_single = false;
  size_t i;
  (void)id;
  if (b == NULL) abort();
  b->start = qemu_plugin_tb_vaddr(tb);
  b->next = b->start;
  for (i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
    const struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(tb, i);
    const size_t size = qemu_plugin_insn_size(instruction);
    if (core != NONE) add_thumb(b, qemu_plugin_insn_data(instruction), size, &after_single);
    b->instructions++;
    b->next += size;
  }
  qemu_plugin_register_vcpu_tb_exec_cb(tb, on_run, 0, b);
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv) {
  int i;
  (void)info;
  for (i = 0; i < argc; i++) {
    const char *value = strchr(argv[i], '=');
    if (value == NULL) continue;
    value++;
    if (!strncmp(argv[i], "begin=", 6)) begin_at = strtoull(value, NULL, 0) & ~1ull;
    if (!strncmp(argv[i], "end=", 4)) end_at = strtoull(value, NULL, 0) & ~1ull;
    if (!strncmp(argv[i], "mark=", 5)) mark_at = strtoull(value, NULL, 0) & ~1ull;
    if (!strncmp(argv[i], "core=", 5)) core = !strcmp(value, "m4") ? M4 : !strcmp(value, "m0plus") ? M0PLUS : NONE;
    if (!strncmp(argv[i], "out=", 4)) out_name = strdup(value);
  }
  qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
  return 0;
}
