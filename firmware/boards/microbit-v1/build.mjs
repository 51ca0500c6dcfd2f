import { compile, tools } from '../microbit/compile.mjs';

export { tools };

/** micro:bit v1. */
export const build = (root, folder) => compile(root, folder, 1);
