import { defineConfig } from 'vite';

/** Builds the calibration of the latency table for Node. */
export default defineConfig({
  // The bundle runs from a temporary folder, where no packages are found.
  ssr: { noExternal: true },
  build: {
    ssr: 'tests/bench/latency-calibration.ts',
    target: 'node20',
    emptyOutDir: true,
    copyPublicDir: false,
    rolldownOptions: { output: { entryFileNames: 'latency-calibration.mjs' } },
  },
  logLevel: 'warn',
});
