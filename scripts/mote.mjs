/**
 * `npm run -s mote -- VERB`: the command line. Installs what is missing, rebuilds the bundle when its sources changed,
 * then runs it. Nothing but the command's own results goes to stdout.
 */
import { readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isStale } from './freshness.mjs';
import { ensureDependencies, ROOT } from './prepare.mjs';

const BUNDLE = join(ROOT, 'dist-cli', 'mote.mjs');
const SOURCES = ['src', 'firmware/mote', 'package.json', 'scripts/mote.mjs'].map((path) => join(ROOT, path));

/** One file, renamed into place: commands that run side by side never see half of it. */
async function buildBundle() {
  const { build } = await import('vite');
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const folder = join(ROOT, 'dist-cli', `build-${process.pid}`);
  const toStderr = (message) => console.error(message);
  try {
    await build({
      root: ROOT,
      configFile: false,
      publicDir: false,
      logLevel: 'warn',
      customLogger: {
        info: () => {},
        warn: toStderr,
        warnOnce: toStderr,
        error: toStderr,
        clearScreen: () => {},
        hasErrorLogged: () => false,
        hasWarned: false,
      },
      define: { __APP_VERSION__: JSON.stringify(process.env.APP_VERSION ?? version) },
      build: {
        ssr: 'src/cli/main.ts',
        outDir: folder,
        target: 'node20',
        minify: false,
        rollupOptions: { output: { entryFileNames: 'mote.mjs', codeSplitting: false } },
      },
    });
    renameSync(join(folder, 'mote.mjs'), BUNDLE);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

ensureDependencies();
if (isStale(BUNDLE, SOURCES)) {
  try {
    await buildBundle();
  } catch (error) {
    console.error(`mote: the command line could not be built: ${error.message}`);
    process.exit(1);
  }
}
const { main } = await import(pathToFileURL(BUNDLE).href);
process.exitCode = await main(process.argv.slice(2));
