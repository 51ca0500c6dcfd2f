/** A model as a project for a toolchain that people have: pure functions from a pack to files. */
import { zipSync } from 'fflate';
import type { Target } from '../target';
import { arduinoBundle } from './arduino';
import { bundleFacts, type Bundle, type BundleFacts } from './bundle-facts';
import { espIdfBundle } from './esp-idf';
import { plainCBundle } from './plain-c';
import { platformioBundle } from './platformio';
import { zephyrBundle } from './zephyr';

export const BUNDLE_FORMATS = ['arduino', 'platformio', 'esp-idf', 'zephyr', 'c'] as const;
export type BundleFormat = (typeof BUNDLE_FORMATS)[number];

export function isBundleFormat(text: string): text is BundleFormat {
  return (BUNDLE_FORMATS as readonly string[]).includes(text);
}

const MAKERS: Readonly<Record<BundleFormat, (facts: BundleFacts, target: Target) => Bundle>> = {
  arduino: arduinoBundle,
  platformio: platformioBundle,
  'esp-idf': espIdfBundle,
  zephyr: zephyrBundle,
  c: plainCBundle,
};

/**
 * The bundle of a pack, with a `model.h` made for the target. The same arguments always give the same bytes. Throws what
 * `readPack` and `emitHeader` throw.
 */
export function makeBundle(pack: Uint8Array, format: BundleFormat, target: Target = 'generic'): Bundle {
  return MAKERS[format](bundleFacts(pack, target), target);
}

/** The earliest time a zip can hold, as local time: the same bytes in every time zone and on every day. */
const ZIP_TIME = '1980-01-01T00:00:00';

/** The bundle as a zip file: one folder, which holds everything. */
export function zipBundle({ folder, files }: Bundle): Uint8Array {
  return zipSync(Object.fromEntries(Array.from(files, ([path, bytes]) => [`${folder}/${path}`, bytes])), {
    level: 9,
    mtime: ZIP_TIME,
  });
}
