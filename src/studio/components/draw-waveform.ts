/** Draws a whole recording into a small box: every unit scaled to the full height, min and max per pixel column. */
import type { Channel } from '../../signal/recording';
import { lanesOf } from './scope-renderer';

export interface WaveformPicture {
  /** `samples[frame * channels.length + channel]`. */
  readonly samples: Float32Array;
  readonly channels: readonly Channel[];
  readonly width: number;
  readonly height: number;
  readonly colors: readonly string[];
}

export function drawWaveform(context: CanvasRenderingContext2D, picture: WaveformPicture): void {
  const { samples, channels, width, height, colors } = picture;
  const stride = channels.length;
  const frames = stride > 0 ? Math.floor(samples.length / stride) : 0;
  context.clearRect(0, 0, width, height);
  if (frames < 2) return;
  context.lineWidth = 1;
  context.lineJoin = 'bevel';
  for (const lane of lanesOf(channels)) {
    let low = Infinity;
    let high = -Infinity;
    for (let frame = 0; frame < frames; frame++) {
      for (const channel of lane.channels) {
        const value = samples[frame * stride + channel] as number;
        if (value < low) low = value;
        if (value > high) high = value;
      }
    }
    const span = Math.max(1e-9, high - low);
    const y = (value: number) => height - 2 - ((value - low) / span) * (height - 4);
    for (const channel of lane.channels) {
      context.strokeStyle = colors[channel % colors.length] ?? '#000';
      context.beginPath();
      const columns = Math.min(width, frames);
      for (let column = 0; column < columns; column++) {
        const from = Math.floor((column * frames) / columns);
        const to = Math.max(from + 1, Math.floor(((column + 1) * frames) / columns));
        let least = Infinity;
        let most = -Infinity;
        for (let frame = from; frame < to; frame++) {
          const value = samples[frame * stride + channel] as number;
          if (value < least) least = value;
          if (value > most) most = value;
        }
        const x = ((column + 0.5) * width) / columns;
        context.lineTo(x, y(least));
        if (most > least) context.lineTo(x, y(most));
      }
      context.stroke();
    }
  }
}
