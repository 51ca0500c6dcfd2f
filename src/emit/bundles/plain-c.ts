/** Plain C: the header, a program that classifies lines of numbers, and a Makefile for any compiler. */
import { CPrinter } from '../c-printer';
import type { Target } from '../target';
import { headerFiles, LICENCE, readme, textFiles, type Bundle, type BundleFacts } from './bundle-facts';
import { channelComments, printPrintResult, printSelfTest, sampleComment } from './c-example';

/** Longest line of numbers that the example reads. */
const LINE_BYTES = 1024;

export function plainCBundle(facts: BundleFacts, target: Target): Bundle {
  return {
    folder: `${facts.snakeName}_c`,
    files: textFiles({
      'README.md': readme(facts, target, {
        what: 'plain C',
        build:
          '`make` builds `classify` for this computer, `make test` runs its self-test. Another chip: `make CC=arm-none-eabi-gcc CFLAGS="-O2 -mcpu=cortex-m4 -mthumb" LDFLAGS=...`.',
        example: 'main.c',
        tried:
          'programs like this one are compiled by gcc and clang and run on Linux, and compiled for Cortex-M0, Cortex-M4 and RV32IMC and run in QEMU, in the automated tests of Mote; not on real hardware.',
      }),
      'LICENSE.txt': LICENCE,
      Makefile: makefile(facts),
      'main.c': mainC(facts),
      ...headerFiles(facts, ''),
    }),
  };
}

function makefile({ include }: BundleFacts): string {
  return `# make: builds the example. make test: runs its self-test. make clean: removes what was built.
CC ?= cc
CFLAGS ?= -O2

classify: main.c ${include} model.h
	$(CC) -std=c99 -Wall -Wextra $(CFLAGS) main.c -o $@ $(LDFLAGS) $(LDLIBS)

.PHONY: test clean
test: classify
	./classify < /dev/null

clean:
	$(RM) classify
`;
}

function mainC(facts: BundleFacts): string {
  const { model, x, X, include } = facts;
  const out = new CPrinter();
  out.comment([
    'Runs the self-test of the model, then classifies samples from the standard input: one line per sample, ' +
      `${model.input.channels.length} number${model.input.channels.length === 1 ? '' : 's'} separated by commas or blanks. ` +
      'Ends with 1 when the self-test fails.',
  ]);
  out.line('#include <stdio.h>');
  out.line('#include <stdlib.h>');
  out.line('#include <string.h>');
  out.gap();
  out.line(`#include "${include}"`);
  out.gap();
  printSelfTest(out, facts, 'printf');
  printPrintResult(out, facts, 'printf');
  out.comment([
    sampleComment(facts),
    ...channelComments(facts),
    'Returns 0 when there are no more. As it stands it skips lines that hold anything else, such as a header.',
  ]);
  out.block(`static int read_sample(float sample[${X}_CHANNELS])`, () => {
    out.line(`char line[${LINE_BYTES}];`);
    out.block('while (fgets(line, (int)sizeof line, stdin) != NULL)', () => {
      out.line('const char *at = line;');
      out.line('int i;');
      out.block(`for (i = 0; i < ${X}_CHANNELS; i++)`, () => {
        out.line('char *end;');
        out.line('sample[i] = strtof(at, &end);');
        out.line('if (end == at) break;');
        out.line('at = end + strspn(end, ",; \\t");');
      });
      out.line(`if (i == ${X}_CHANNELS) return 1;`);
    });
    out.line('return 0;');
  });
  out.gap();
  out.block('int main(void)', () => {
    out.line(`float sample[${X}_CHANNELS];`);
    out.line(`${x}_result result;`);
    out.line('if (self_test() != 0) return 1;');
    out.block('while (read_sample(sample))', () => {
      out.line(`if (${x}_push(sample, &result)) print_result(&result);`);
    });
    out.line('return 0;');
  });
  return out.finish();
}
