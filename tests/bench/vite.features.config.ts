import { defineConfig } from 'vite';

/** Builds the calibration of the table of features for Node. */
export default defineConfig({
  // The bundle runs from a temporary folder, where no packages are found.
  ssr: { noExternal: true },
  build: {
    ssr: 'tests/bench/feature-latency-calibration.ts',
    target: 'node20',
    emptyOutDir: true,
    copyPublicDir: false,
    rolldownOptions: { output: { entryFileNames: 'feature-latency-calibration.mjs' } },
  },
  logLevel: 'warn',
});
