/** The training worker's entry point. */
import { createTrainServer } from './train-server';
import type { WorkerRequest } from './train-messages';

/** The part of a dedicated worker's scope that is used here; the DOM library only describes a window's. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<WorkerRequest>) => void) | null;
  postMessage(message: unknown, transfer: Transferable[]): void;
}

const scope = globalThis as unknown as WorkerScope;
const handle = createTrainServer((message, transfer) => scope.postMessage(message, transfer));
scope.onmessage = ({ data }) => handle(data);
