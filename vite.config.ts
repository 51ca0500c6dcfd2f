import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { svelteTesting } from '@testing-library/svelte/vite';
import { defineConfig } from 'vitest/config';
import { CONTENT_SECURITY_POLICY } from './scripts/static-server.mjs';
import { contentSecurityPolicy, serviceWorker, tfjsBinaries } from './scripts/vite-service-worker.ts';

const { version } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8')) as { version: string };

export default defineConfig({
  base: './',
  define: { __APP_VERSION__: JSON.stringify(process.env['APP_VERSION'] ?? version) },
  plugins: [svelte(), svelteTesting(), tfjsBinaries(), contentSecurityPolicy(CONTENT_SECURITY_POLICY), serviceWorker()],
  worker: { format: 'es' },
  build: { target: 'es2022', sourcemap: false },
  optimizeDeps: { include: ['@tensorflow/tfjs', '@tensorflow/tfjs-backend-wasm'] },
  test: {
    include: ['src/**/*.test.ts', 'tests/{architecture,golden,conformance,cross,c,scripts,boards}/**/*.test.ts'],
    environment: 'node',
    // Most tests wait for compilers and emulators: one worker would leave a core of a small machine idle.
    maxWorkers: availableParallelism(),
    testTimeout: 240_000,
    hookTimeout: 240_000,
  },
});
