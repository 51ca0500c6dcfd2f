import { defineConfig } from 'vite';
import { fileURLToPath } from 'node:url';
import { tfjsBinaries } from '../../scripts/vite-service-worker.ts';

/** Builds the bench pages with the studio's own settings. */
export default defineConfig({
  root: fileURLToPath(new URL('pages', import.meta.url)),
  base: './',
  plugins: [tfjsBinaries()],
  worker: { format: 'es' },
  build: { target: 'es2022', emptyOutDir: true },
  logLevel: 'warn',
});
