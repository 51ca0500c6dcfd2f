/** The sketch of the Arduino and PlatformIO bundles. */
import { CPrinter } from '../c-printer';
import type { BundleFacts } from './bundle-facts';
import { channelComments, sampleComment } from './c-example';

/** Most milliseconds that the sketch waits for a serial monitor on boards with a USB port of their own. */
const MONITOR_WAIT_MS = 3000;

/** The text of the sketch; `includes` are the headers it needs beside the model's. */
export function arduinoSketch(facts: BundleFacts, includes: readonly string[]): string {
  const { x, X, include, paced, intervalUs, probabilities } = facts;
  const out = new CPrinter();
  out.comment(['Runs the self-test of the model, then classifies a stream of samples and prints what it recognises.']);
  for (const name of includes) out.line(`#include <${name}>`);
  out.line(`#include <${include}>`);
  out.gap();
  out.comment([sampleComment(facts), 'As it stands it reads analog inputs, 0 to 1023, which says nothing useful.']);
  out.block(`static void read_sample(float sample[${X}_CHANNELS])`, () => {
    out.line('static const uint8_t pins[] = {A0, A1, A2, A3};');
    for (const text of channelComments(facts)) out.comment([text]);
    out.block(`for (uint8_t i = 0; i < ${X}_CHANNELS; i++)`, () => {
      out.line('sample[i] = (float)analogRead(pins[i % sizeof pins]);');
    });
  });
  out.gap();
  if (paced) {
    out.line(`static const uint32_t interval_us = ${intervalUs}UL;`);
    out.line('static uint32_t next_us;');
    out.gap();
  }
  out.block('void setup()', () => {
    out.line('Serial.begin(115200);');
    out.line(`while (!Serial && millis() < ${MONITOR_WAIT_MS}) {`);
    out.line('}');
    out.gap();
    out.comment(['Classifies the windows that the model brings along: the very bytes that the studio computed.']);
    out.line(`const int failed = ${x}_selftest();`);
    out.line('Serial.print(failed == 0 ? F("Self-test passed: ") : F("Self-test FAILED: "));');
    out.line(`Serial.print(${X}_SELFTEST_COUNT - failed);`);
    out.line('Serial.print(F(" of "));');
    out.line(`Serial.print(${X}_SELFTEST_COUNT);`);
    out.line('Serial.println(F(" windows identical"));');
    if (paced) out.line('next_us = micros();');
  });
  out.gap();
  out.block('void loop()', () => {
    if (paced) {
      out.line('// The difference is right even when micros() wraps.');
      out.line('if ((int32_t)(micros() - next_us) < 0) return;');
      out.line('next_us += interval_us;');
      out.gap();
    }
    out.line(`float sample[${X}_CHANNELS];`);
    out.line('read_sample(sample);');
    out.line(`${x}_result result;`);
    out.line(`if (!${x}_push(sample, &result)) return;`);
    out.gap();
    out.line('const int score = result.scores[result.best];');
    out.line(`Serial.print(result.decision < 0 ? "uncertain" : ${x}_label(result.decision));`);
    out.line('Serial.print(F(" (this window: "));');
    out.line(`Serial.print(${x}_label(result.best));`);
    if (probabilities) {
      out.line('Serial.print(F(", "));');
      out.line(`Serial.print((int)(100.0f * ${X}_OUTPUT_SCALE * (float)(score - ${X}_OUTPUT_ZERO_POINT) + 0.5f));`);
      out.line('Serial.println(F(" %)"));');
    } else {
      out.line('Serial.print(F(", score "));');
      out.line('Serial.print(score);');
      out.line('Serial.println(F(" of -128..127)"));');
    }
  });
  return out.finish();
}
