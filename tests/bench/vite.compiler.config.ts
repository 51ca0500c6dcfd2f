import { defineConfig } from 'vite';

/** Builds the compiler bench for Node. */
export default defineConfig({
  // The bundle runs from a temporary folder, where no packages are found.
  ssr: { noExternal: true },
  build: {
    ssr: 'tests/bench/compiler-bench.ts',
    target: 'node20',
    emptyOutDir: true,
    copyPublicDir: false,
    rolldownOptions: { output: { entryFileNames: 'compiler-bench.mjs' } },
  },
  logLevel: 'warn',
});
