/** C programs around emitted networks. */

/**
 * Runs the network in `header` on the given inputs and prints every output byte in hexadecimal, then, after a space, the
 * bytes of stack that the last inference used. That one is also the one that is counted.
 */
export function networkProgram(header: string, prefix: string, inputs: Int8Array, cases: number): string {
  const X = prefix.toUpperCase();
  return `#include "${header}"
#include "platform.h"
static const int8_t inputs[] STORED = {${Array.from(inputs).join()}};
static int8_t in[${X}_INPUT_SIZE];
static int8_t out[${X}_OUTPUT_SIZE];
__attribute__((noinline)) int ${prefix}_run(void);
__attribute__((noinline)) int ${prefix}_run(void) { return ${prefix}_invoke(in, out); }
int program(void) {
  int32_t c, i;
  int failed = 0;
  for (c = 0; c < ${cases}; c++) {
    for (i = 0; i < ${X}_INPUT_SIZE; i++) in[i] = stored(&inputs[c * ${X}_INPUT_SIZE + i]);
    paint_stack();
    bench_begin();
    failed |= ${prefix}_run();
    bench_end();
    for (i = 0; i < ${X}_OUTPUT_SIZE; i++) put_hex((uint8_t)out[i], 2);
  }
  put_character(' ');
  put_hex((uint32_t)used_stack(), 8);
  return failed ? 1 : 42;
}
`;
}

/** What such a program printed. */
export function parseOutput(text: string): { readonly outputs: Int8Array; readonly stackBytes: number } {
  const [bytes = '', stack = ''] = text.split(' ');
  return { outputs: new Int8Array(Buffer.from(bytes, 'hex')), stackBytes: parseInt(stack, 16) };
}

/** Part of a program that runs many networks on inputs that it makes itself. */
export interface SeededNetwork {
  readonly header: string;
  readonly prefix: string;
  readonly seed: number;
}

/**
 * Prints one CRC-32 per network, of the outputs for `cases` inputs made by `seededInputs` (or, for activations of 16 bits,
 * `seededInt16Inputs`) from its seed. `runtime`: what headers without one of their own need.
 */
export function seededProgram(
  networks: readonly SeededNetwork[],
  cases: number,
  { bits = 8, runtime = '' }: { readonly bits?: 8 | 16; readonly runtime?: string } = {},
): string {
  const type = `int${bits}_t`;
  const [lowest, highest, mask] = bits === 8 ? [-128, 127, 255] : [-32768, 32767, 65535];
  const sizes = (end: string): string =>
    networks
      .map(({ prefix }) => `${type} ${prefix}_${end.toLowerCase()}[${prefix.toUpperCase()}_${end}_SIZE];`)
      .join('\n  ');
  return `${runtime}${networks.map(({ header }) => `#include "${header}"`).join('\n')}
#include "platform.h"
static union {
  ${sizes('INPUT')}
  ${type} values[1];
} in;
static union {
  ${sizes('OUTPUT')}
  ${type} values[1];
} out;
static ${type} *const input = (${type} *)&in;
static ${type} *const output = (${type} *)&out;

static void check(int (*invoke)(const ${type} *, ${type} *), int32_t inputs, int32_t outputs, uint32_t state) {
  uint32_t crc = 0;
  int32_t c, i;
  for (c = 0; c < ${cases}; c++) {
    for (i = 0; i < inputs; i++) {
      state = next_random(state);
      /* Every fourth input is at the limits. */
      input[i] = (${type})(c % 4 == 3 ? (state & 1 ? ${highest} : ${lowest}) : (int32_t)(state & ${mask}) + ${lowest});
    }
    if (invoke(input, output) != 0) crc ^= 1;
    crc = crc_of(crc, (const int8_t *)output, outputs * ${bits / 8});
  }
  put_hex(crc, 8);
}

${networks
  .map(
    ({ prefix }) =>
      `static int ${prefix}_run(const ${type} *from, ${type} *to) { return ${prefix}_invoke(from, to); }\n`,
  )
  .join('')}
int program(void) {
${networks
  .map(({ prefix, seed }) => {
    const X = prefix.toUpperCase();
    return `  check(${prefix}_run, ${X}_INPUT_SIZE, ${X}_OUTPUT_SIZE, UINT32_C(${seed}));\n`;
  })
  .join('')}  return 42;
}
`;
}

/** The inputs that such a program makes, one after another. `seed` is 1..2^32-1. */
export function seededInputs(seed: number, size: number, cases: number): Int8Array {
  let state = seed | 0;
  return Int8Array.from({ length: size * cases }, (_, index) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return Math.floor(index / size) % 4 === 3 ? ((state & 1) === 1 ? 127 : -128) : (state & 255) - 128;
  });
}

/** The same for activations of 16 bits. */
export function seededInt16Inputs(seed: number, size: number, cases: number): Int16Array {
  let state = seed | 0;
  return Int16Array.from({ length: size * cases }, (_, index) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return Math.floor(index / size) % 4 === 3 ? ((state & 1) === 1 ? 32_767 : -32_768) : (state & 65_535) - 32_768;
  });
}
