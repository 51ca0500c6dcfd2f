/** Which field of a block's form an error belongs to. */
import type { DspErrorCode } from '../../../dsp/block';

export type BlockField =
  'channels' | 'scale' | 'fftLength' | 'order' | 'cutoffHz' | 'decimation' | 'improveLowFrequency' | 'block';

export function fieldOf(code: DspErrorCode): BlockField {
  switch (code) {
    case 'no-channels':
    case 'channel-out-of-range':
      return 'channels';
    case 'fft-length':
      return 'fftLength';
    case 'filter-order':
      return 'order';
    case 'filter-cutoff':
    case 'filter-unstable':
    case 'no-bins':
      return 'cutoffHz';
    case 'window-too-short':
      return 'improveLowFrequency';
    case 'bad-scale':
      return 'scale';
    case 'window-too-long':
    case 'bad-block':
      return 'block';
  }
}
