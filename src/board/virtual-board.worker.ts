/** The virtual board's worker: `serveVirtualBoard` on this worker's messages and real time. */
import { systemTiming } from './timing';
import { serveVirtualBoard } from './virtual-board-host';
import type { ToVirtualBoard } from './virtual-board-host';

const board = serveVirtualBoard(
  systemTiming,
  async (wasm) => {
    if (wasm instanceof WebAssembly.Module) return wasm;
    const response = await fetch(wasm);
    if (!response.ok) throw new Error(`The virtual board’s firmware could not be loaded (${response.status}).`);
    return WebAssembly.compile(await response.arrayBuffer());
  },
  (message) => self.postMessage(message),
);

self.addEventListener('message', (event: MessageEvent<ToVirtualBoard>) => board.post(event.data));
