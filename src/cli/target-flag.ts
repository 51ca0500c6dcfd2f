/** `--target`: the core that C is made for. */
import { isTarget, TARGETS, type Target } from '../emit/target';
import type { Arguments } from './arguments';
import { UsageError } from './usage-error';

/** Default generic. @throws UsageError `bad-arguments`. */
export function targetOf(args: Arguments): Target {
  const target = args.one('target') ?? 'generic';
  if (isTarget(target)) return target;
  throw new UsageError('bad-arguments', `unknown target "${target}"; known are ${TARGETS.join(', ')}`);
}
