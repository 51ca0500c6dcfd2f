/** A PlatformIO project for the Arduino framework: the model as a private library, the sketch, and some boards. */
import type { Target } from '../target';
import { arduinoSketch } from './arduino-sketch';
import { headerFiles, LICENCE, readme, textFiles, type Bundle, type BundleFacts } from './bundle-facts';
import { jsonString } from './bundle-text';

/** Development platform and board of PlatformIO, by the name of the environment. The first is the default. */
const BOARDS = [
  ['nano33ble', 'nordicnrf52', 'nano33ble'],
  ['pico', 'raspberrypi', 'pico'],
  ['esp32', 'espressif32', 'esp32dev'],
  ['mega', 'atmelavr', 'megaatmega2560'],
  ['uno', 'atmelavr', 'uno'],
] as const;

export function platformioBundle(facts: BundleFacts, target: Target): Bundle {
  // Names of libraries have digits, small letters and dashes.
  const library = facts.snakeName.replaceAll('_', '-');
  return {
    folder: `${facts.snakeName}_platformio`,
    files: textFiles({
      'platformio.ini': projectIni(),
      'README.md': readme(facts, target, {
        what: 'PlatformIO project',
        build: `\`pio run\` (${BOARDS[0][2]}) or \`pio run -e NAME\` with ${BOARDS.map(([name]) => name).join(', ')}; \`pio run -t upload\`, then \`pio device monitor\` (115200 baud). Other boards: add an environment to \`platformio.ini\`.`,
        example: 'src/main.cpp',
        tried:
          '`src` and `lib` of projects like this one are compiled with the Arduino AVR core for Mega 2560, in the automated tests of Mote; PlatformIO itself, the other boards and real hardware were not tried.',
      }),
      'LICENSE.txt': LICENCE,
      'src/main.cpp': arduinoSketch(facts, ['Arduino.h']),
      [`lib/${library}/library.json`]: manifest(facts, library),
      ...headerFiles(facts, `lib/${library}/src/`),
    }),
  };
}

function projectIni(): string {
  return [
    '[platformio]',
    `default_envs = ${BOARDS[0][0]}`,
    '',
    '[env]',
    'framework = arduino',
    'monitor_speed = 115200',
    '',
    ...BOARDS.flatMap(([name, platform, board]) => [`[env:${name}]`, `platform = ${platform}`, `board = ${board}`, '']),
  ].join('\n');
}

function manifest({ description, include }: BundleFacts, library: string): string {
  return `{
  "name": ${jsonString(library)},
  "version": "1.0.0",
  "description": ${jsonString(description)},
  "frameworks": "*",
  "platforms": "*",
  "headers": ${jsonString(include)}
}
`;
}
