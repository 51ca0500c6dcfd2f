/** Serves a folder on localhost with the headers of a strict host. Used by `npm start` and by the browser tests. */
import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize, sep } from 'node:path';

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.wasm': 'application/wasm',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.mote': 'application/octet-stream',
};

/** The same promise as the page's own meta tag, for workers and whatever else is loaded. */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "worker-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/**
 * @param {string} folder
 * @param {{ port: number, fallbackPorts?: number }} options `fallbackPorts`: how many higher ports to try when busy
 * @returns {Promise<{ url: string, port: number, close(): Promise<void> }>}
 */
export async function serveFolder(folder, { port, fallbackPorts = 0 }) {
  const server = createServer((request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return void response.writeHead(405).end();
    let path;
    try {
      path = normalize(decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname));
    } catch {
      return void response.writeHead(400).end();
    }
    const file = join(folder, path.endsWith(sep) || path.endsWith('/') ? join(path, 'index.html') : path);
    if (!file.startsWith(join(folder, sep))) return void response.writeHead(403).end();
    let size;
    try {
      const stat = statSync(file);
      // As static hosts do: a folder without its slash is sent on, so that relative addresses in it are right.
      if (stat.isDirectory())
        return void response
          .writeHead(301, { location: `${new URL(request.url ?? '/', 'http://localhost').pathname}/` })
          .end();
      if (!stat.isFile()) throw new Error('not a file');
      size = stat.size;
    } catch {
      return void response.writeHead(404, { 'content-type': 'text/plain' }).end('not found');
    }
    response.writeHead(200, {
      'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
      'content-length': size,
      'cache-control': 'no-cache',
      'content-security-policy': CONTENT_SECURITY_POLICY,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    });
    if (request.method === 'HEAD') return void response.end();
    createReadStream(file).pipe(response);
  });
  for (let attempt = 0; ; attempt++) {
    try {
      await new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(port + attempt, '127.0.0.1', () => {
          server.off('error', reject);
          resolve(undefined);
        });
      });
      break;
    } catch (error) {
      if (error.code !== 'EADDRINUSE' || attempt >= fallbackPorts) throw error;
    }
  }
  const used = server.address().port;
  return {
    url: `http://localhost:${used}/`,
    port: used,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve(undefined));
      }),
  };
}
