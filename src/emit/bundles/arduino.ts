/** An Arduino library (Arduino library specification, revision 2.2): header, example sketch, and what the IDE wants. */
import type { Target } from '../target';
import { arduinoSketch } from './arduino-sketch';
import { headerFiles, LICENCE, readme, textFiles, type Bundle, type BundleFacts } from './bundle-facts';
import { asciiLine, listOf } from './bundle-text';

const LONGEST_PARAGRAPH = 500;

export function arduinoBundle(facts: BundleFacts, target: Target): Bundle {
  const name = facts.camelName;
  return {
    folder: name,
    files: textFiles({
      'library.properties': properties(facts),
      'keywords.txt': keywords(facts),
      'README.md': readme(facts, target, {
        what: 'Arduino library',
        build: `Arduino IDE: Sketch, Include Library, Add .ZIP Library; then File, Examples, ${name}, ${name}; upload, and open the serial monitor at 115200 baud.`,
        example: `examples/${name}/${name}.ino`,
        tried:
          'sketches like this one are compiled with the Arduino AVR core for Uno, Leonardo and Mega 2560, and a small one is run on emulated Unos and Megas, in the automated tests of Mote; no other core and no real board was tried.',
      }),
      'LICENSE.txt': LICENCE,
      ...headerFiles(facts, 'src/'),
      [`examples/${name}/${name}.ino`]: arduinoSketch(facts, []),
    }),
  };
}

function properties({ camelName, include, description, model, paced }: BundleFacts): string {
  const { input } = model;
  const channels = listOf(
    input.channels.map((channel) => channel.name),
    (channel) => asciiLine(channel, 40),
  );
  const paragraph = paced
    ? `Classifies ${input.windowMs} ms of ${channels} at ${input.rateHz} Hz. Replace read_sample in the example by your sensor.`
    : 'A network compiled to C. Replace read_sample in the example by where its input comes from.';
  return [
    `name=${camelName}`,
    'version=1.0.0',
    'author=You',
    'maintainer=You',
    `sentence=${description}`,
    `paragraph=${asciiLine(paragraph, LONGEST_PARAGRAPH)}`,
    'category=Data Processing',
    // Must be there and be a URI; nobody has a page for a model that was just trained.
    'url=about:blank',
    'architectures=*',
    `includes=${include}`,
    '',
  ].join('\n');
}

function keywords({ x, X }: BundleFacts): string {
  const functions = ['push', 'classify', 'invoke', 'decide', 'label', 'selftest', 'reset'];
  const macros = ['CHANNELS', 'RATE_HZ', 'WINDOW_FRAMES', 'STRIDE_FRAMES', 'LABEL_COUNT', 'SELFTEST_COUNT', 'MODEL_ID'];
  return [
    `${x}_result\tKEYWORD1`,
    ...functions.map((name) => `${x}_${name}\tKEYWORD2`),
    ...macros.map((name) => `${X}_${name}\tLITERAL1`),
    '',
  ].join('\n');
}
