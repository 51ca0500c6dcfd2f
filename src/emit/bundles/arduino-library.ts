/**
 * The runtime as an Arduino library, without a model: `firmware/mote` as it is, for sketches that speak the protocol. It has
 * the folder that the IDE's "Add .ZIP Library" wants, with `library.properties` at its root.
 */
import { strToU8 } from 'fflate';
import licence from '../../../LICENSE?raw';
import type { Bundle } from './bundle-facts';

const ROOT = '../../../firmware/mote/';
const TEXTS = import.meta.glob<string>('../../../firmware/mote/**/*.{h,c,ino,md,txt,properties}', {
  query: '?raw',
  import: 'default',
  eager: true,
});

/** The same bytes for the same checkout. */
export function arduinoLibrary(): Bundle {
  const paths = Object.keys(TEXTS).sort();
  const files = paths.map((path) => [path.slice(ROOT.length), strToU8(TEXTS[path] as string)] as const);
  return { folder: 'Mote', files: new Map([...files, ['LICENSE.txt', strToU8(licence)]]) };
}
