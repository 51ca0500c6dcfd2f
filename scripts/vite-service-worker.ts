import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { getManifest } from 'workbox-build';
import { build, type Plugin, type ResolvedConfig } from 'vite';

/**
 * What makes a file "heavy": the training engine and charts, which a first visit does not need. They are cached in a
 * second stage, when the studio is idle, so that the first page is ready offline within a second or two.
 */
const HEAVY = ['tfjs/**', 'firmware/**', 'assets/train.worker-*.js', 'assets/chart-*.js'];
const EVERYTHING = ['**/*.{js,css,html,svg,png,wasm,json,webmanifest,mote,uf2,hex}'];
const NEVER = ['service-worker.js', 'cache-list.json'];

/** Builds src/service-worker.ts after the app and hands it the two cache lists; also writes them to cache-list.json. */
export function serviceWorker(): Plugin {
  let config: ResolvedConfig;
  return {
    name: 'mote-service-worker',
    apply: 'build',
    configResolved: (resolved) => void (config = resolved),
    closeBundle: {
      order: 'post',
      sequential: true,
      async handler(error) {
        if (error || config.build.ssr) return;
        const outDir = config.build.outDir;
        const list = async (globPatterns: string[], globIgnores: string[]) => {
          const { manifestEntries, warnings } = await getManifest({
            globDirectory: outDir,
            globPatterns,
            globIgnores,
            dontCacheBustURLsMatching: /^assets\//,
            maximumFileSizeToCacheInBytes: 16 * 1024 * 1024,
          });
          // A pattern without a match is fine while a part is missing; a file too large to cache is not.
          const serious = warnings.filter((warning) => !warning.includes("doesn't match any files"));
          if (serious.length > 0) throw new Error(serious.join('\n'));
          return manifestEntries.map(({ url, revision }) => ({ url, revision: revision ?? null }));
        };
        const heavy = await list(HEAVY, NEVER);
        const shell = await list(EVERYTHING, [...NEVER, ...HEAVY]);
        if (heavy.length === 0) config.logger.warn('service worker: nothing is heavy; do the patterns still match?');
        await build({
          configFile: false,
          logLevel: 'warn',
          mode: config.mode,
          define: {
            'process.env.NODE_ENV': JSON.stringify(config.mode),
            __SHELL_LIST__: JSON.stringify(shell),
            __HEAVY_LIST__: JSON.stringify(heavy),
          },
          build: {
            outDir,
            emptyOutDir: false,
            copyPublicDir: false,
            target: config.build.target,
            lib: {
              entry: 'src/service-worker.ts',
              formats: ['iife'],
              name: 'serviceWorker',
              fileName: () => 'service-worker.js',
            },
          },
        });
        const bytes = (entries: { url: string }[]) =>
          entries.reduce((sum, { url }) => sum + readFileSync(join(outDir, url)).length, 0);
        writeFileSync(join(outDir, 'cache-list.json'), JSON.stringify({ shell, heavy }));
        const digest = createHash('sha256')
          .update(JSON.stringify([shell, heavy]))
          .digest('hex')
          .slice(0, 8);
        config.logger.info(
          `service worker ${digest}: shell ${shell.length} files, ${(bytes(shell) / 1024).toFixed(0)} KiB; ` +
            `second stage ${heavy.length} files, ${(bytes(heavy) / 1024).toFixed(0)} KiB`,
        );
      },
    },
  };
}

/** Serves and ships the tfjs wasm binaries under `tfjs/`, from the package: nothing is fetched from elsewhere. */
export function tfjsBinaries(): Plugin {
  const folder = 'node_modules/@tensorflow/tfjs-backend-wasm/dist';
  const names = ['tfjs-backend-wasm.wasm', 'tfjs-backend-wasm-simd.wasm'];
  return {
    name: 'mote-tfjs-binaries',
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        const name = names.find((candidate) => request.url?.split('?')[0]?.endsWith(`/tfjs/${candidate}`));
        if (!name) return next();
        response.setHeader('content-type', 'application/wasm');
        response.end(readFileSync(join(folder, name)));
      });
    },
    generateBundle() {
      if (this.environment.name !== 'client') return;
      for (const name of names) {
        this.emitFile({ type: 'asset', fileName: `tfjs/${name}`, source: readFileSync(join(folder, name)) });
      }
    },
  };
}

/** Adds the Content-Security-Policy to the built page, so that the promise holds on any static host. */
export function contentSecurityPolicy(policy: string): Plugin {
  return {
    name: 'mote-content-security-policy',
    apply: 'build',
    // frame-ancestors works only as a header; browsers warn when a meta tag holds it.
    transformIndexHtml: () => [
      {
        tag: 'meta',
        attrs: { 'http-equiv': 'Content-Security-Policy', content: policy.replace(/;\s*frame-ancestors[^;]*/, '') },
        injectTo: 'head-prepend',
      },
    ],
  };
}
