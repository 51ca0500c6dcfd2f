/** An ESP-IDF component: the header to include, and an example project beside it. */
import { CPrinter } from '../c-printer';
import type { Target } from '../target';
import { headerFiles, LICENCE, readme, textFiles, type Bundle, type BundleFacts } from './bundle-facts';
import { jsonString } from './bundle-text';
import { channelComments, printPrintResult, printSelfTest, sampleComment } from './c-example';

export function espIdfBundle(facts: BundleFacts, target: Target): Bundle {
  return {
    // The folder's name is the component's name.
    folder: facts.snakeName,
    files: textFiles({
      'CMakeLists.txt': 'idf_component_register(INCLUDE_DIRS "include")\n',
      'idf_component.yml': `version: "1.0.0"\ndescription: ${jsonString(facts.description)}\ndependencies:\n  idf: ">=4.4"\n`,
      'README.md': readme(facts, target, {
        what: 'ESP-IDF component',
        build:
          '`cd examples/classify && idf.py set-target esp32c3 && idf.py flash monitor`. In a project of your own: copy this folder into its `components`.',
        example: 'examples/classify/main/main.c',
        tried:
          '`main.c` and `model.h` of components like this one are compiled by GCC for RV32IMC (the core of the ESP32-C3) against stand-ins for the headers of ESP-IDF, in the automated tests of Mote; ESP-IDF itself, an emulated ESP32 and real hardware were not tried.',
      }),
      'LICENSE.txt': LICENCE,
      ...headerFiles(facts, 'include/'),
      'examples/classify/CMakeLists.txt': PROJECT,
      'examples/classify/main/CMakeLists.txt': 'idf_component_register(SRCS "main.c" INCLUDE_DIRS "")\n',
      'examples/classify/main/main.c': mainC(facts),
    }),
  };
}

const PROJECT = `cmake_minimum_required(VERSION 3.16)
# The component lies two folders up.
set(EXTRA_COMPONENT_DIRS "\${CMAKE_CURRENT_LIST_DIR}/../..")
include($ENV{IDF_PATH}/tools/cmake/project.cmake)
project(classify)
`;

function mainC(facts: BundleFacts): string {
  const { x, X, include, paced, intervalUs } = facts;
  const out = new CPrinter();
  out.comment(['Runs the self-test of the model, then classifies a stream of samples and prints what it recognises.']);
  out.line('#include <stdint.h>');
  out.line('#include <stdio.h>');
  out.gap();
  if (paced) out.line('#include "esp_timer.h"');
  out.line('#include "freertos/FreeRTOS.h"');
  out.line('#include "freertos/task.h"');
  out.gap();
  out.line(`#include "${include}"`);
  out.gap();
  printSelfTest(out, facts, 'printf');
  printPrintResult(out, facts, 'printf');
  out.comment([sampleComment(facts), ...channelComments(facts), 'As it stands it reads nothing: all zeros.']);
  out.block(`static void read_sample(float sample[${X}_CHANNELS])`, () => {
    out.line('int i;');
    out.line(`for (i = 0; i < ${X}_CHANNELS; i++) sample[i] = 0.0f;`);
  });
  out.gap();
  if (paced) {
    out.block('static void wake(void *task)', () => out.line('xTaskNotifyGive((TaskHandle_t)task);'));
    out.gap();
  }
  out.block('void app_main(void)', () => {
    out.line(`float sample[${X}_CHANNELS];`);
    out.line(`${x}_result result;`);
    if (paced) {
      out.line('esp_timer_handle_t timer;');
      out.line('esp_timer_create_args_t args = {0};');
    }
    out.gap();
    out.line('if (self_test() != 0) return;');
    if (paced) {
      out.gap();
      out.line('args.callback = wake;');
      out.line('args.arg = xTaskGetCurrentTaskHandle();');
      out.line('args.name = "samples";');
      out.line('ESP_ERROR_CHECK(esp_timer_create(&args, &timer));');
      out.line(`ESP_ERROR_CHECK(esp_timer_start_periodic(timer, ${intervalUs}));`);
    }
    out.block('for (;;)', () => {
      if (paced) {
        out.comment(['One round per tick, also for ticks that passed during a classification.']);
        out.line('ulTaskNotifyTake(pdFALSE, portMAX_DELAY);');
      }
      out.line('read_sample(sample);');
      out.block(`if (${x}_push(sample, &result))`, () => {
        out.line('print_result(&result);');
        if (!paced) out.line('vTaskDelay(1);');
      });
    });
  });
  return out.finish();
}
