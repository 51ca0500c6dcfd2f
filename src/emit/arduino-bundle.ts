/** An Arduino library around a model: the header, a sketch that streams samples into it, and what the IDE wants. */
import { strToU8, zipSync, type Zippable } from 'fflate';
import { windowFrames } from '../dsp/block';
import { commentText } from './c-literals';
import { CPrinter } from './c-printer';
import { emitHeader } from './header';
import type { Model } from './model';
import { readPack } from './pack';
import { measureModel } from './size';

/** A file of a bundle; `path` has forward slashes and starts with the bundle's folder. */
export interface BundleFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** The earliest time a zip can hold, as local time: the same bytes in every time zone and on every day. */
const ZIP_TIME = '1980-01-01T00:00:00';

/** `magic_wand` -> `MagicWandModel`: the name of library and sketch. */
export function libraryName(prefix: string): string {
  const words = prefix.split('_').filter((word) => word !== '');
  return `${words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')}Model`;
}

/** The files of an Arduino library for a pack. A pure function of the pack. Throws what `readPack` throws. */
export function arduinoLibrary(pack: Uint8Array): BundleFile[] {
  const model = readPack(pack);
  const name = libraryName(model.prefix);
  const include = `${model.prefix}_model.h`;
  const file = (path: string, text: string): BundleFile => ({ path: `${name}/${path}`, bytes: strToU8(text) });
  return [
    file('library.properties', properties(model, name, include)),
    file('keywords.txt', keywords(model.prefix)),
    file('README.md', readme(model, name, include)),
    file('LICENSE.txt', LICENCE),
    // Arduino finds libraries by file name: this one is the model's own, where several libraries have a model.h.
    file(`src/${include}`, `#include "model.h"\n`),
    file('src/model.h', emitHeader(pack)),
    file(`examples/${name}/${name}.ino`, sketch(model, include)),
  ];
}

/** The bundle as a zip file; the same files always give the same bytes. */
export function zipBundle(files: readonly BundleFile[]): Uint8Array {
  const entries: Zippable = Object.fromEntries(files.map(({ path, bytes }) => [path, bytes]));
  return zipSync(entries, { level: 9, mtime: ZIP_TIME });
}

const LICENCE = `This model is the work of whoever recorded its data and trained it: yours.
Use, change, sell and share these files in any way you like, without conditions and without warranty.
`;

/** One line of plain ASCII, for files that have no escapes. */
function line(text: string): string {
  return commentText(text).replaceAll('=', ':');
}

function properties(model: Model, name: string, include: string): string {
  const { labels, input } = model;
  const channels = input.channels.map((channel) => channel.name).join(', ');
  return [
    `name=${name}`,
    'version=1.0.0',
    'author=You',
    'maintainer=You',
    `sentence=${line(`Tells apart: ${labels.join(', ')}.`)}`,
    `paragraph=${line(`An int8 classifier of ${input.windowMs} ms of ${channels} at ${input.rateHz} Hz, made with Mote.`)}`,
    'category=Data Processing',
    'url=',
    'architectures=*',
    `includes=${include}`,
    '',
  ].join('\n');
}

function keywords(prefix: string): string {
  const functions = ['push', 'classify', 'invoke', 'decide', 'label', 'selftest', 'reset'];
  const macros = ['CHANNELS', 'RATE_HZ', 'WINDOW_FRAMES', 'STRIDE_FRAMES', 'LABEL_COUNT', 'SELFTEST_COUNT', 'MODEL_ID'];
  return [
    `${prefix}_result\tKEYWORD1`,
    ...functions.map((name) => `${prefix}_${name}\tKEYWORD2`),
    ...macros.map((name) => `${prefix.toUpperCase()}_${name}\tLITERAL1`),
    '',
  ].join('\n');
}

function readme(model: Model, name: string, include: string): string {
  const { prefix, labels, input } = model;
  const size = measureModel(model);
  return `# ${name}

A classifier made with Mote: it listens to ${input.channels.length} channels at ${input.rateHz} Hz and tells apart
${labels.length} labels in windows of ${windowFrames(input)} samples.

## Use

1. Arduino IDE: Sketch, Include Library, Add .ZIP Library, and choose this file.
2. Open File, Examples, ${name}, ${name}.
3. Replace \`read_sample\` by a function that reads your sensor: the same channels, in the same order, units and rate as
   in the recordings. As it stands it reads analog inputs, which compiles everywhere and classifies nothing useful.
4. Upload, and open the serial monitor at 115200 baud. The first line is the self-test: the board must give the very
   bytes that the studio computed.

\`#include <${include}>\` in one file of your sketch only. \`src/model.h\` explains every function.

## Memory

${size.ram} bytes of RAM and ${size.flashWeights} bytes of constants, plus code. On AVR boards (Uno, Nano, Mega) the
compiler also copies constants into RAM, so that only very small models fit there.

## Tested

The sketch is compiled with g++ as C++11 against a stand-in for the Arduino core, and the model itself with gcc, g++ and
clang. It has not been compiled with the AVR core yet. Compile without \`-ffast-math\`.

Functions start with \`${prefix}_\`. Licence: yours, see LICENSE.txt.
`;
}

function sketch(model: Model, include: string): string {
  const { prefix: x, input } = model;
  const X = x.toUpperCase();
  const out = new CPrinter();
  out.comment([
    'Classifies a stream of sensor samples and prints what it recognises.',
    '',
    `The model wants ${input.channels.length} channels at ${input.rateHz} Hz. Replace read_sample() by a function that ` +
      'reads your sensor: the same channels, in the same order and units as in the recordings.',
  ]);
  out.line(`#include <${include}>`);
  out.gap();
  out.line('// Stand-in for a sensor: analog inputs as they are, 0 to 1023. Replace this.');
  out.block(`static void read_sample(float sample[${X}_CHANNELS])`, () => {
    out.line('static const uint8_t pins[] = {A0, A1, A2, A3, A4, A5};');
    input.channels.forEach(({ name, unit }, index) => {
      out.comment([unit === '' ? name : `${name} in ${unit}`]);
      out.line(`sample[${index}] = (float)analogRead(pins[${index % 6}]);`);
    });
  });
  out.gap();
  out.line(`static const uint32_t interval_us = (uint32_t)(1000000.0f / ${X}_RATE_HZ + 0.5f);`);
  out.line('static uint32_t next_us;');
  out.gap();
  out.block('void setup()', () => {
    out.line('Serial.begin(115200);');
    out.line(`const int failed = ${x}_selftest();`);
    out.line('Serial.print("Self-test: ");');
    out.line(`Serial.print(${X}_SELFTEST_COUNT - failed);`);
    out.line('Serial.print(" of ");');
    out.line(`Serial.print(${X}_SELFTEST_COUNT);`);
    out.line('Serial.println(" windows identical");');
    out.line('next_us = micros();');
  });
  out.gap();
  out.block('void loop()', () => {
    out.line('// The difference is right even when micros() wraps.');
    out.line('if ((int32_t)(micros() - next_us) < 0) return;');
    out.line('next_us += interval_us;');
    out.gap();
    out.line(`float sample[${X}_CHANNELS];`);
    out.line('read_sample(sample);');
    out.line(`${x}_result result;`);
    out.line(`if (!${x}_push(sample, &result)) return;`);
    out.gap();
    out.line(`const float score = ${X}_OUTPUT_SCALE * (float)(result.scores[result.best] - ${X}_OUTPUT_ZERO_POINT);`);
    out.line(`Serial.print(result.decision < 0 ? "uncertain" : ${x}_label(result.decision));`);
    out.line('Serial.print(" (this window: ");');
    out.line(`Serial.print(${x}_label(result.best));`);
    out.line('Serial.print(" ");');
    out.line('Serial.print(score);');
    out.line('Serial.println(")");');
  });
  return out.finish();
}
