import { defineConfig } from '@playwright/test';
import { findBrowser } from './scripts/prepare.mjs';

/** Ports of the tests' own servers; the real-serial policy names the rig's origin. */
export const STUDIO_PORT = Number(process.env['MOTE_TEST_PORT'] ?? 4180);

export default defineConfig({
  testDir: 'tests',
  // Beside each other: both wait more than they compute. Boards are plugged in for all browsers of the machine, and one
  // policy grants their ports, so the tests of the rig take turns.
  projects: [
    { name: 'e2e', testMatch: 'e2e/**/*.spec.ts', workers: 1 },
    { name: 'rig', testMatch: 'rig/**/*.spec.ts', workers: 1 },
  ],
  outputDir: 'test-results',
  workers: 2,
  // Real time, real processes and two shared cores: a test may stumble once. What only passes on a retry is listed as flaky.
  retries: process.env['CI'] ? 2 : 0,
  timeout: 120_000,
  expect: { timeout: 15_000 },
  reporter: [['list'], ['json', { outputFile: 'test-results/playwright.json' }]],
  webServer: {
    command: `node scripts/serve-dist.mjs ${STUDIO_PORT}`,
    url: `http://localhost:${STUDIO_PORT}/`,
    reuseExistingServer: false,
  },
  use: {
    actionTimeout: 15_000,
    screenshot: 'only-on-failure',
    baseURL: `http://localhost:${STUDIO_PORT}/`,
    launchOptions: {
      executablePath: findBrowser() ?? '',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
});
