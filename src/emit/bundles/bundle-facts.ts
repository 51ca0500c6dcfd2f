/** What every bundle says about a model, and the names that its files have. */
import { strToU8 } from 'fflate';
import { windowFrames } from '../../dsp/block';
import { emitHeader } from '../header';
import type { Model } from '../model';
import { readPack } from '../pack';
import { measureModel } from '../size';
import type { Target } from '../target';
import { asciiLine, listOf, markdownText } from './bundle-text';

/** A folder of files, from path (forward slashes, without the folder) to bytes. */
export interface Bundle {
  /** The folder's name; also that of the zip. */
  readonly folder: string;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** Longest description in a manifest; PlatformIO takes 255 characters. */
const LONGEST_DESCRIPTION = 240;

export interface BundleFacts {
  readonly model: Model;
  /** `model.h`. */
  readonly header: string;
  /** The model's prefix: a C identifier, so that it is safe in every name made of it. */
  readonly x: string;
  /** The same in capitals, for macros. */
  readonly X: string;
  /** `magic_wand_model`, for folders and modules; lower case. */
  readonly snakeName: string;
  /** `MagicWandModel`, for libraries and sketches. */
  readonly camelName: string;
  /** `magic_wand_model.h`: build tools find a library by the name of its header, and many have a `model.h`. */
  readonly include: string;
  /** Whether samples come at the model's rate. A bare network has none: its values are handed over one by one. */
  readonly paced: boolean;
  /** Microseconds between two samples. */
  readonly intervalUs: number;
  /** Whether scores are probabilities. */
  readonly probabilities: boolean;
  /** One sentence in plain ASCII, for manifests. */
  readonly description: string;
}

/** Throws what `readPack` and `emitHeader` throw. */
export function bundleFacts(pack: Uint8Array, target: Target): BundleFacts {
  const model = readPack(pack);
  const { prefix, input, labels, graph } = model;
  const last = graph.ops.at(-1);
  return {
    model,
    header: emitHeader(pack, target),
    x: prefix,
    X: prefix.toUpperCase(),
    snakeName: `${prefix.toLowerCase()}_model`,
    camelName: libraryName(prefix),
    include: `${prefix.toLowerCase()}_model.h`,
    paced: model.receipt.pipeline !== '',
    intervalUs: Math.max(1, Math.round(1e6 / input.rateHz)),
    probabilities: last?.kind === 'softmax',
    description: asciiLine(
      `Tells apart ${listOf(labels, (label) => asciiLine(label, 40))}. An int8 classifier made with Mote.`,
      LONGEST_DESCRIPTION,
    ),
  };
}

/** `magic_wand` -> `MagicWandModel`: the name of library and sketch. Names that start with Arduino are Arduino's own. */
export function libraryName(prefix: string): string {
  const words = prefix.split('_').filter((word) => word !== '');
  const name = `${words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')}Model`;
  return /^arduino/i.test(name) ? `My${name}` : name;
}

/** Files from their texts, in UTF-8. */
export function textFiles(texts: Readonly<Record<string, string>>): ReadonlyMap<string, Uint8Array> {
  return new Map(Object.entries(texts).map(([path, text]) => [path, strToU8(text)]));
}

/** The two headers of a library: its own name, and `model.h` as everywhere else. */
export function headerFiles({ header, include }: BundleFacts, folder: string): Readonly<Record<string, string>> {
  return {
    [`${folder}${include}`]:
      '/* One source file of a program includes this: the model keeps its memory there. */\n#include "model.h"\n',
    [`${folder}model.h`]: header,
  };
}

/** What differs between the READMEs. Markdown, from us. */
export interface ReadmeParts {
  /** Such as `Arduino library`. */
  readonly what: string;
  readonly build: string;
  /** Where `read_sample` is. */
  readonly example: string;
  /** What was tried with which tools, and what was not. */
  readonly tried: string;
}

/** The README of a bundle: ten lines below its title. */
export function readme(facts: BundleFacts, target: Target, parts: ReadmeParts): string {
  const { model, x, include, paced } = facts;
  const { labels, input } = model;
  const size = measureModel(model, target);
  const channels = listOf(
    input.channels.map(({ name, unit }) => (unit === '' ? name : `${name} in ${unit}`)),
    markdownText,
  );
  const frames = windowFrames(input);
  const lines = paced
    ? [
        `**What:** a classifier made with Mote: ${labels.length} labels (${listOf(labels, markdownText)}) in windows of ${input.windowMs} ms.`,
        `**In:** ${input.channels.length} channels, ${input.rateHz} samples per second and channel (${frames} per window), in this order and unit: ${channels}.`,
      ]
    : [
        `**What:** a network compiled by Mote: ${frames} values in, ${labels.length} scores out (${listOf(labels, markdownText)}).`,
        `**In:** ${frames} numbers in the units of the network's input, one after another in its order.`,
      ];
  return `# ${facts.camelName}: ${parts.what}

${[
  ...lines,
  `**Out:** \`result.best\` (highest score), \`result.decision\` (after smoothing and threshold; -1 = uncertain), \`result.scores\` (int8).`,
  `**API:** \`${x}_push(sample, &result)\`, \`${x}_classify(window, &result)\`, \`${x}_label(i)\`, \`${x}_selftest()\`, \`${x}_reset()\`; each is explained in \`model.h\`.`,
  `**Build:** ${parts.build}`,
  `**Your sensor:** replace \`read_sample\` in \`${parts.example}\`. \`#include "${include}"\` in one source file only; compile without \`-ffast-math\`.`,
  `**Proof:** the example first runs the embedded test windows; "passed" means that every byte is what the studio computed.`,
  `**Memory:** ${size.ram} bytes of RAM and ${size.flashWeights} bytes of constants, plus code and stack.`,
  `**Tried:** ${parts.tried}`,
  '**Licence:** yours, see `LICENSE.txt`.',
]
  .map((line) => `- ${line}`)
  .join('\n')}
`;
}

export const LICENCE = `This model is the work of whoever recorded its data and trained it: yours.
Use, change, sell and share these files in any way you like, without conditions and without warranty.
`;
