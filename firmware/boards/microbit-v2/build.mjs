import { compile, tools } from '../microbit/compile.mjs';

export { tools };

/** micro:bit v2. */
export const build = (root, folder) => compile(root, folder, 2);
