/** `npm start`: installs what is missing, builds when needed, serves the studio on localhost, opens a browser. */
import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { isStale } from './freshness.mjs';
import { ensureDependencies, fail, ROOT } from './prepare.mjs';
import { serveFolder } from './static-server.mjs';

const FIRST_PORT = Number(process.env.PORT ?? 4173);

ensureDependencies();
const dist = join(ROOT, 'dist');
const sources = ['src', 'public', 'static-models', 'firmware/mote', 'index.html', 'vite.config.ts', 'package.json'];
if (
  isStale(
    join(dist, 'index.html'),
    sources.map((path) => join(ROOT, path)),
  )
) {
  console.log('Building the studio...');
  const vite = join(ROOT, 'node_modules', 'vite', 'bin', 'vite.js');
  const build = spawnSync(process.execPath, [vite, 'build', '--logLevel', 'warn'], { cwd: ROOT, stdio: 'inherit' });
  if (build.status !== 0) fail('the build failed; see the messages above');
}
let server;
try {
  server = await serveFolder(dist, { port: FIRST_PORT, fallbackPorts: 20 });
} catch (error) {
  fail(`no free port from ${FIRST_PORT} on (${error.message}); set PORT to another number`);
}
console.log(`Mote is running at ${server.url}`);
console.log('Chrome, Edge or another Chromium browser can talk to boards over USB. Ctrl+C stops the server.');
openBrowser(server.url);

function openBrowser(url) {
  if (process.env.CI || process.env.MOTE_NO_OPEN) return;
  if (process.platform === 'linux' && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY) return;
  const [command, ...args] =
    process.platform === 'darwin'
      ? ['open', url]
      : process.platform === 'win32'
        ? ['cmd', '/c', 'start', '', url]
        : ['xdg-open', url];
  // No browser to open is no fault: the address is printed.
  spawn(command, args, { stdio: 'ignore', detached: true })
    .on('error', () => {})
    .unref();
}
