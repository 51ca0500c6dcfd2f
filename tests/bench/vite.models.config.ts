import { defineConfig } from 'vite';

/** Builds the bench of whole models for Node. */
export default defineConfig({
  // The bundle runs from a temporary folder, where no packages are found.
  ssr: { noExternal: true },
  build: {
    ssr: 'tests/bench/models-bench.ts',
    target: 'node20',
    emptyOutDir: true,
    copyPublicDir: false,
    rolldownOptions: { output: { entryFileNames: 'models-bench.mjs' } },
  },
  logLevel: 'warn',
});
