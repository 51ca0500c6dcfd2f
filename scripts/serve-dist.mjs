/** Serves the built studio for the browser tests: node scripts/serve-dist.mjs PORT */
import { join } from 'node:path';
import { ROOT } from './prepare.mjs';
import { serveFolder } from './static-server.mjs';

const { url } = await serveFolder(join(ROOT, 'dist'), { port: Number(process.argv[2]) });
console.log(url);
