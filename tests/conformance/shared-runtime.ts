/**
 * Many emitted headers in one program, with one copy of the runtime instead of one in each: compilers then take a fraction
 * of the time. That a header brings along what it needs is tested where it stands alone: model-in-c, bundles, networks.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { runtimeText } from '../../src/emit/fragments';
import type { Rounding } from '../../src/quantize/int8-graph';
import type { AnyTarget } from '../cross/cross-target';
import { RUNTIME } from './c-compiler';

const PREFIX = 'shared';
/** Where the runtime begins in a header, and what comes after it. */
const BEGIN = '/* ---- Runtime: what this';
const END = /^\/\* ---- (?:Network|Model) ----/m;

/** Every function of the runtime that headers can call. */
const FUNCTIONS: readonly string[] = readdirSync(RUNTIME)
  .filter((name) => name.endsWith('.h'))
  .flatMap((name) => [...readFileSync(path.join(RUNTIME, name), 'utf8').matchAll(/^MOTE_FN .*?\b(mote_\w+)\(/gm)])
  .map(([, name]) => name as string);

/** All of the runtime, for the beginning of a program. */
export function sharedRuntime(rounding: Rounding = 'double'): string {
  return `#include <stdint.h>\n${runtimeText(FUNCTIONS, PREFIX, rounding)}\n`;
}

/**
 * Whether programs for the target share one. Not where kernels are in assembly, which has to bear being compiled for the one
 * layer that calls it, as in a header that stands alone.
 */
export function sharesRuntime({ kind, compiler }: Pick<AnyTarget, 'kind' | 'compiler'>): boolean {
  return kind !== 'avr' && !compiler.startsWith('arm-');
}

const NAMES: ReadonlySet<string> = new Set(
  [...runtimeText(FUNCTIONS, 'mote').matchAll(/\b(?:mote|MOTE)_(\w+)/g)].map(([, name]) => name as string),
);

/** The header without its runtime, for a program that begins with `sharedRuntime` of the same rounding. */
export function withoutRuntime(header: string, prefix: string): string {
  const begin = header.indexOf(BEGIN);
  const length = header.slice(begin).search(END);
  if (begin < 0 || length < 0) throw new Error('This header has no runtime.');
  const own = header.slice(0, begin) + header.slice(begin + length);
  return own.replace(
    new RegExp(`\\b(${prefix}|${prefix.toUpperCase()})_(\\w+)`, 'g'),
    (all, start: string, name: string) =>
      NAMES.has(name) ? `${start === prefix ? PREFIX : PREFIX.toUpperCase()}_${name}` : all,
  );
}
