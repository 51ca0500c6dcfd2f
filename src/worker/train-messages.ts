/** What the app and its training worker say to each other. */
import type { CompileInputs, CompileOutputs, CompileProgress } from './compile-job';
import type { PortableError } from './error-transport';
import type { EvaluateInputs, Evaluation } from './evaluate-job';
import type { FeatureInputs, FeatureTable } from './feature-job';
import type { TrainInputs, TrainOutputs, TrainProgress } from './job';

/** Each kind of job with what goes in and what comes out. */
export interface Jobs {
  readonly train: { readonly inputs: TrainInputs; readonly outputs: TrainOutputs };
  readonly features: { readonly inputs: FeatureInputs; readonly outputs: FeatureTable };
  readonly evaluate: { readonly inputs: EvaluateInputs; readonly outputs: Evaluation };
  readonly compile: { readonly inputs: CompileInputs; readonly outputs: CompileOutputs };
}

export type JobKind = keyof Jobs;

/** App to worker. `id` tells jobs apart; several may run at once. */
export type WorkerRequest =
  | {
      [Kind in JobKind]: {
        readonly type: 'start';
        readonly id: number;
        readonly kind: Kind;
        readonly inputs: Jobs[Kind]['inputs'];
        readonly wasmPath: string;
      };
    }[JobKind]
  | { readonly type: 'cancel'; readonly id: number };

/** Worker to app. */
export type WorkerReply =
  | { readonly type: 'progress'; readonly id: number; readonly progress: TrainProgress | CompileProgress }
  | { readonly type: 'done'; readonly id: number; readonly outputs: Jobs[JobKind]['outputs'] }
  | { readonly type: 'failed'; readonly id: number; readonly error: PortableError };
