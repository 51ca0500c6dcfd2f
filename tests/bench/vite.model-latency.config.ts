import { defineConfig } from 'vite';

/** Builds the calibration of the predicted times of whole models for Node. */
export default defineConfig({
  // The bundle runs from a temporary folder, where no packages are found.
  ssr: { noExternal: true },
  build: {
    ssr: 'tests/bench/model-latency-calibration.ts',
    target: 'node20',
    emptyOutDir: true,
    copyPublicDir: false,
    rolldownOptions: { output: { entryFileNames: 'model-latency-calibration.mjs' } },
  },
  logLevel: 'warn',
});
