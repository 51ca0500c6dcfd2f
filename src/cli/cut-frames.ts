/** Where windows start when labels do not matter: all of a recording, whatever its segments. */
import { countWindows } from '../signal/window';

export function cutFrames(available: number, frames: number, stride: number): number[] {
  return Array.from({ length: countWindows(available, { frames, stride }) }, (_, index) => index * stride);
}
