/**
 * The moment at which new files take the place of the old ones on a board with folders. New files are written into
 * `STAGE_FOLDER`; when all of them are proved, that folder is renamed to `SWITCH_FOLDER`: one step of the file system,
 * and from then on the new set is the one that counts. The moves that follow can be interrupted anywhere and done again.
 */

/** Files on their way: worth nothing until all are there. */
export const STAGE_FOLDER = 'mote_new';
/** Files that count already and wait to be moved to their places. */
export const SWITCH_FOLDER = 'mote_set';
/** A file in `SWITCH_FOLDER` that ends so says that the file without the ending is to be removed. */
export const REMOVE_ENDING = '.gone';

/**
 * Python that moves what waits in `SWITCH_FOLDER` to its place, main.py last. Raises OSError when nothing waits. It
 * stands in main.py too, so that a board whose power failed in the middle finishes by itself.
 */
export const SWITCH_PYTHON: readonly string[] = [
  'import os',
  `for n in sorted(os.listdir('${SWITCH_FOLDER}'), key=lambda n: n == 'main.py'):`,
  ` p = '${SWITCH_FOLDER}/' + n`,
  ` if n.endswith('${REMOVE_ENDING}'):`,
  '  try:',
  `   os.remove(n[:-${REMOVE_ENDING.length}])`,
  '  except OSError:',
  '   pass',
  '  os.remove(p)',
  ' else:',
  '  os.rename(p, n)',
  `os.rmdir('${SWITCH_FOLDER}')`,
];
