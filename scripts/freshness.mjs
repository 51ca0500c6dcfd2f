/** Tells whether a build product is older than what it is made from. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Newest modification time (ms) of the files under the given files and folders; missing ones count as 0. */
export function newestTime(paths) {
  let newest = 0;
  for (const path of paths) {
    let stat;
    try {
      stat = statSync(path);
    } catch {
      continue;
    }
    newest = Math.max(
      newest,
      stat.isDirectory() ? newestTime(readdirSync(path).map((name) => join(path, name))) : stat.mtimeMs,
    );
  }
  return newest;
}

/** True when `product` is missing or older than any of `sources`. */
export function isStale(product, sources) {
  let made;
  try {
    made = statSync(product).mtimeMs;
  } catch {
    return true;
  }
  return newestTime(sources) > made;
}
