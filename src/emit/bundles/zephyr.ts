/** A Zephyr module: the header behind a Kconfig option, and a sample beside it. */
import { CPrinter } from '../c-printer';
import type { Target } from '../target';
import { headerFiles, LICENCE, readme, textFiles, type Bundle, type BundleFacts } from './bundle-facts';
import { channelComments, printPrintResult, printSelfTest, sampleComment } from './c-example';

export function zephyrBundle(facts: BundleFacts, target: Target): Bundle {
  const option = optionName(facts);
  return {
    folder: `${facts.snakeName}_zephyr`,
    files: textFiles({
      'zephyr/module.yml': `name: ${facts.snakeName}\nbuild:\n  cmake: zephyr\n  kconfig: zephyr/Kconfig\n`,
      'zephyr/CMakeLists.txt': `if(CONFIG_${option})\n  zephyr_include_directories(../include)\nendif()\n`,
      'zephyr/Kconfig': `config ${option}\n\tbool "Mote model ${facts.x}"\n\thelp\n\t  Adds the folder of ${facts.include} to the include path.\n`,
      'README.md': readme(facts, target, {
        what: 'Zephyr module',
        build: `\`west build -b BOARD samples/classify\`, then \`west flash\`. In an application of your own: add this folder to the CMake variable \`ZEPHYR_EXTRA_MODULES\`, and \`CONFIG_${option}=y\` to \`prj.conf\`.`,
        example: 'samples/classify/src/main.c',
        tried:
          '`main.c` and `model.h` of modules like this one are compiled by GCC for Cortex-M4 and RV32IMC against stand-ins for the headers of Zephyr, in the automated tests of Mote; Zephyr itself, its emulators and real hardware were not tried.',
      }),
      'LICENSE.txt': LICENCE,
      ...headerFiles(facts, 'include/'),
      'samples/classify/CMakeLists.txt': SAMPLE,
      'samples/classify/prj.conf': `CONFIG_${option}=y\nCONFIG_PRINTK=y\nCONFIG_MAIN_STACK_SIZE=4096\n`,
      'samples/classify/src/main.c': mainC(facts),
    }),
  };
}

/** `MOTE_` keeps clear of Zephyr's own options, such as `NET_MODEL`, and of the `ZEPHYR_<NAME>_MODULE` it makes itself. */
function optionName({ x }: BundleFacts): string {
  return `MOTE_MODEL_${x.toUpperCase()}`;
}

const SAMPLE = `cmake_minimum_required(VERSION 3.20.0)
# The module lies two folders up.
list(APPEND ZEPHYR_EXTRA_MODULES \${CMAKE_CURRENT_SOURCE_DIR}/../..)
find_package(Zephyr REQUIRED HINTS $ENV{ZEPHYR_BASE})
project(classify)
target_sources(app PRIVATE src/main.c)
`;

function mainC(facts: BundleFacts): string {
  const { x, X, include, paced, intervalUs } = facts;
  const out = new CPrinter();
  out.comment(['Runs the self-test of the model, then classifies a stream of samples and prints what it recognises.']);
  out.line('#include <zephyr/kernel.h>');
  out.line('#include <zephyr/sys/printk.h>');
  out.gap();
  out.line(`#include <${include}>`);
  out.gap();
  printSelfTest(out, facts, 'printk');
  printPrintResult(out, facts, 'printk');
  out.comment([sampleComment(facts), ...channelComments(facts), 'As it stands it reads nothing: all zeros.']);
  out.block(`static void read_sample(float sample[${X}_CHANNELS])`, () => {
    out.line('int i;');
    out.line(`for (i = 0; i < ${X}_CHANNELS; i++) sample[i] = 0.0f;`);
  });
  out.gap();
  if (paced) {
    out.line('K_TIMER_DEFINE(samples, NULL, NULL);');
    out.gap();
  }
  out.block('int main(void)', () => {
    out.line(`float sample[${X}_CHANNELS];`);
    out.line(`${x}_result result;`);
    out.gap();
    out.line('if (self_test() != 0) return 0;');
    if (paced) out.line(`k_timer_start(&samples, K_USEC(${intervalUs}), K_USEC(${intervalUs}));`);
    out.block('for (;;)', () => {
      if (paced) {
        out.comment([
          'How often the timer expired since the last round: more than once when a classification took long.',
        ]);
        out.line('uint32_t due = k_timer_status_sync(&samples);');
        out.block('for (; due > 0; due--)', () => {
          out.line('read_sample(sample);');
          out.line(`if (${x}_push(sample, &result)) print_result(&result);`);
        });
      } else {
        out.line('read_sample(sample);');
        out.block(`if (${x}_push(sample, &result))`, () => {
          out.line('print_result(&result);');
          out.line('k_msleep(1);');
        });
      }
    });
  });
  return out.finish();
}
