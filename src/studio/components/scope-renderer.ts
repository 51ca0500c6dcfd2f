/**
 * Draws channels of a `SampleRing` on a canvas the way an oscilloscope does: one lane per unit, min and max of every
 * pixel column, so that no spike is lost however long the span. Pure drawing: no timers, no DOM but the context.
 */
import type { Channel } from '../../signal/recording';
import { unitText } from '../messages/format';
import type { SampleRing } from '../state/sample-ring';

export interface ScopeColors {
  readonly screen: string;
  readonly grid: string;
  readonly axis: string;
  readonly ink: string;
  readonly mark: string;
  readonly gap: string;
  readonly traces: readonly string[];
}

/** Channels that share a vertical axis because they share a unit. */
export interface Lane {
  readonly unit: string;
  readonly channels: readonly number[];
}

/** A shaded stretch of frames: what is being recorded, or a labelled segment. `to` null = up to now. */
export interface ScopeMark {
  readonly from: number;
  readonly to: number | null;
  readonly label?: string;
  readonly color?: string;
}

export interface ScopeView {
  readonly ring: SampleRing;
  readonly lanes: readonly Lane[];
  /** Per channel. */
  readonly hidden: readonly boolean[];
  readonly rateHz: number;
  /** Frame number at the right edge; fractions scroll smoothly. */
  readonly endFrame: number;
  readonly spanFrames: number;
  /** Time axis: seconds before the right edge (live), or seconds from the first frame. */
  readonly axis: 'before-now' | 'from-start';
  readonly marks: readonly ScopeMark[];
  /** Frame of the playback cursor, or null. */
  readonly cursor: number | null;
  /** Milliseconds; the vertical ranges shrink slowly. */
  readonly now: number;
}

/** More lanes than this would be too flat to read: then all channels share one. */
const MAX_LANES = 4;
const GUTTER = 46;
const FOOT = 22;
const HEAD = 8;
const LANE_GAP = 8;
/** A range shrinks when the signal has used less than this share of it for `SHRINK_AFTER_MS`. */
const SHRINK_BELOW = 0.7;
const SHRINK_AFTER_MS = 1500;

/** Groups channels by unit, in order of appearance. */
export function lanesOf(channels: readonly Channel[]): Lane[] {
  const byUnit = new Map<string, number[]>();
  channels.forEach((channel, index) => {
    const list = byUnit.get(channel.unit);
    if (list) list.push(index);
    else byUnit.set(channel.unit, [index]);
  });
  if (byUnit.size > MAX_LANES) return [{ unit: '', channels: channels.map((_, index) => index) }];
  return [...byUnit].map(([unit, list]) => ({ unit, channels: list }));
}

/** The step of 1, 2 or 5 times a power of ten that is at least `raw`. */
export function niceStep(raw: number): number {
  if (!(raw > 0) || !Number.isFinite(raw)) return 1;
  const power = 10 ** Math.floor(Math.log10(raw));
  const unit = raw / power;
  // 1e-9: 0.2 / 0.1 is 2.0000000000000004 in doubles.
  return (unit <= 1 + 1e-9 ? 1 : unit <= 2 + 1e-9 ? 2 : unit <= 5 + 1e-9 ? 5 : 10) * power;
}

export interface LaneRange {
  readonly low: number;
  readonly high: number;
  readonly step: number;
}

/** The largest float32. */
const MOST = 3.4028234663852886e38;

/** A range with round ends around what was seen. */
export function niceRange(low: number, high: number, divisions = 4): LaneRange {
  if (!(low <= high)) return { low: -1, high: 1, step: 0.5 };
  // A board may print 1e39, which is infinite as float32.
  low = Math.max(low, -MOST);
  high = Math.min(high, MOST);
  const least = Math.max(Math.abs(low), Math.abs(high), 1e-6) * 0.02;
  const middle = (low + high) / 2;
  const half = Math.max((high - low) / 2, least / 2) * 1.06;
  const step = niceStep((2 * half) / divisions);
  // Half steps: whole ones would waste up to a third of the screen.
  const end = step / 2;
  return { low: Math.floor((middle - half) / end) * end, high: Math.ceil((middle + half) / end) * end, step };
}

function tickText(value: number, step: number): string {
  const decimals = Math.min(6, Math.max(0, -Math.floor(Math.log10(step) + 1e-9)));
  return (Math.abs(value) < step / 1000 ? 0 : value).toFixed(decimals);
}

export class ScopeRenderer {
  readonly #context: CanvasRenderingContext2D;
  #width = 0;
  #height = 0;
  #colors: ScopeColors | null = null;
  #font = '11px sans-serif';
  readonly #ranges: LaneRange[] = [];
  readonly #narrowSince: number[] = [];
  #columns = new Float32Array(0);
  readonly #pair = new Float32Array(2);

  constructor(context: CanvasRenderingContext2D) {
    this.#context = context;
  }

  /** Size in CSS pixels; `scale` is the device pixel ratio. Clears the canvas when anything changed. */
  resize(width: number, height: number, scale: number): void {
    const canvas = this.#context.canvas;
    const deviceWidth = Math.max(1, Math.round(width * scale));
    const deviceHeight = Math.max(1, Math.round(height * scale));
    if (canvas.width !== deviceWidth || canvas.height !== deviceHeight) {
      canvas.width = deviceWidth;
      canvas.height = deviceHeight;
    }
    this.#width = width;
    this.#height = height;
    this.#context.setTransform(deviceWidth / width, 0, 0, deviceHeight / height, 0, 0);
  }

  setColors(colors: ScopeColors, font: string): void {
    this.#colors = colors;
    this.#font = font;
  }

  /** Forgets the vertical ranges: another signal. */
  resetRanges(): void {
    this.#ranges.length = 0;
    this.#narrowSince.length = 0;
  }

  /** Frame number under an x coordinate, for scrubbing. */
  frameAt(x: number, view: Pick<ScopeView, 'endFrame' | 'spanFrames'>): number {
    const plot = Math.max(1, this.#width - GUTTER);
    return view.endFrame - view.spanFrames + ((x - GUTTER) / plot) * view.spanFrames;
  }

  draw(view: ScopeView): void {
    const colors = this.#colors;
    if (!colors || this.#width < GUTTER + 20 || this.#height < 40) return;
    const context = this.#context;
    context.fillStyle = colors.screen;
    context.fillRect(0, 0, this.#width, this.#height);
    context.font = this.#font;
    const left = GUTTER;
    const plotWidth = this.#width - GUTTER;
    const lanes = view.lanes.filter((lane) => lane.channels.some((channel) => !view.hidden[channel]));
    const count = Math.max(1, lanes.length);
    const laneHeight = (this.#height - HEAD - FOOT - LANE_GAP * (count - 1)) / count;

    this.#drawMarks(view, left, plotWidth, colors);
    this.#drawTimeAxis(view, left, plotWidth, colors);
    lanes.forEach((lane, index) => {
      const top = HEAD + index * (laneHeight + LANE_GAP);
      this.#drawLane(view, lane, view.lanes.indexOf(lane), left, top, plotWidth, laneHeight, colors);
    });
    this.#drawMarkLabels(view, left, plotWidth, colors);
    this.#drawGapsAndCursor(view, left, plotWidth, colors);
  }

  #x(frame: number, view: ScopeView, left: number, plotWidth: number): number {
    return left + ((frame - (view.endFrame - view.spanFrames)) / view.spanFrames) * plotWidth;
  }

  #drawMarks(view: ScopeView, left: number, plotWidth: number, colors: ScopeColors): void {
    const context = this.#context;
    for (const mark of view.marks) {
      const x0 = Math.max(left, this.#x(mark.from, view, left, plotWidth));
      const x1 = Math.min(left + plotWidth, this.#x(mark.to ?? view.endFrame, view, left, plotWidth));
      if (x1 <= x0) continue;
      context.globalAlpha = 0.16;
      context.fillStyle = mark.color ?? colors.mark;
      context.fillRect(x0, HEAD, x1 - x0, this.#height - HEAD - FOOT);
      context.globalAlpha = 1;
      context.fillRect(x0, HEAD, x1 - x0, 3);
    }
  }

  /** Over the traces, each on a patch of screen: a label must be readable whatever runs behind it. */
  #drawMarkLabels(view: ScopeView, left: number, plotWidth: number, colors: ScopeColors): void {
    const context = this.#context;
    context.textAlign = 'left';
    context.textBaseline = 'middle';
    for (const mark of view.marks) {
      const x0 = Math.max(left, this.#x(mark.from, view, left, plotWidth));
      const x1 = Math.min(left + plotWidth, this.#x(mark.to ?? view.endFrame, view, left, plotWidth));
      if (!mark.label || x1 - x0 < 30) continue;
      const width = Math.min(context.measureText(mark.label).width, x1 - x0 - 14);
      context.fillStyle = colors.screen;
      context.fillRect(x0 + 4, HEAD + 6, width + 8, 17);
      context.fillStyle = mark.color ?? colors.mark;
      context.fillText(mark.label, x0 + 8, HEAD + 15, width);
    }
  }

  #drawTimeAxis(view: ScopeView, left: number, plotWidth: number, colors: ScopeColors): void {
    const context = this.#context;
    const seconds = view.spanFrames / view.rateHz;
    // Without a rate (a board at its prompt) there is no time to mark, and no end to the marks.
    if (!Number.isFinite(seconds)) return;
    const step = niceStep(seconds / Math.max(2, Math.min(10, plotWidth / 90)));
    const bottom = this.#height - FOOT;
    context.strokeStyle = colors.grid;
    context.fillStyle = colors.ink;
    context.lineWidth = 1;
    context.textBaseline = 'top';
    context.beginPath();
    const end = view.endFrame / view.rateHz;
    const first = view.axis === 'before-now' ? -Math.floor(seconds / step) : Math.ceil((end - seconds) / step - 1e-9);
    const last = view.axis === 'before-now' ? 0 : Math.floor(end / step + 1e-9);
    for (let tick = first; tick <= last; tick++) {
      const at = tick * step;
      const share = view.axis === 'before-now' ? (at + seconds) / seconds : (at - (end - seconds)) / seconds;
      const x = Math.round(left + share * plotWidth) + 0.5;
      context.moveTo(x, HEAD);
      context.lineTo(x, bottom);
      const atEnd = x > left + plotWidth - 18;
      context.textAlign = atEnd ? 'right' : x < left + 18 ? 'left' : 'center';
      context.fillText(`${tickText(at, step).replace('-', '\u2212')} s`, atEnd ? left + plotWidth - 4 : x, bottom + 6);
    }
    context.stroke();
  }

  #drawLane(
    view: ScopeView,
    lane: Lane,
    laneIndex: number,
    left: number,
    top: number,
    plotWidth: number,
    height: number,
    colors: ScopeColors,
  ): void {
    const { ring, spanFrames, endFrame } = view;
    const context = this.#context;
    const start = endFrame - spanFrames;
    const from = Math.max(ring.first, Math.floor(start));
    const to = Math.min(ring.total, Math.ceil(endFrame) + 1);
    const shown = lane.channels.filter((channel) => !view.hidden[channel]);
    let low = Infinity;
    let high = -Infinity;
    for (const channel of shown) {
      ring.minMax(channel, from, to, this.#pair, 0);
      low = Math.min(low, this.#pair[0] as number);
      high = Math.max(high, this.#pair[1] as number);
    }
    const range = this.#follow(laneIndex, low, high, view.now);
    const span = range.high - range.low;
    const y = (value: number) => top + height - ((value - range.low) / span) * height;

    context.strokeStyle = colors.grid;
    context.fillStyle = colors.ink;
    context.lineWidth = 1;
    context.textAlign = 'right';
    context.textBaseline = 'middle';
    context.beginPath();
    const firstTick = Math.ceil(range.low / range.step - 1e-9);
    const lastTick = Math.floor(range.high / range.step + 1e-9);
    const every = Math.max(1, Math.ceil(((lastTick - firstTick + 1) * 15) / Math.max(1, height)));
    for (let tick = firstTick; tick <= lastTick; tick++) {
      const value = tick * range.step;
      const line = Math.round(y(value)) + 0.5;
      context.moveTo(left, line);
      context.lineTo(left + plotWidth, line);
      // The unit takes the place of the topmost figure.
      if (tick % every === 0 && line > top + 18)
        context.fillText(
          tickText(value, range.step).replace('-', '\u2212'),
          left - 6,
          Math.min(line, top + height - 4),
        );
    }
    context.stroke();
    context.fillText(unitText(lane.unit), left - 6, top + 6, left - 8);
    context.strokeStyle = colors.axis;
    context.strokeRect(left + 0.5, Math.round(top) + 0.5, plotWidth - 1, Math.round(height));

    context.save();
    context.beginPath();
    context.rect(left, top, plotWidth, height);
    context.clip();
    context.lineJoin = 'bevel';
    for (const channel of shown) {
      context.strokeStyle = colors.traces[channel % colors.traces.length] ?? colors.ink;
      this.#drawTrace(view, channel, from, to, left, plotWidth, y);
    }
    context.restore();
  }

  #drawTrace(
    view: ScopeView,
    channel: number,
    from: number,
    to: number,
    left: number,
    plotWidth: number,
    y: (value: number) => number,
  ): void {
    const { ring, spanFrames, endFrame } = view;
    const context = this.#context;
    const start = endFrame - spanFrames;
    const perPixel = spanFrames / plotWidth;
    const pixels = plotWidth / spanFrames;
    const gaps = ring.gaps;
    let gap = 0;
    while (gap < gaps.length && (gaps[gap] as number) <= from) gap++;
    // Exactly 1: without a GPU, wider strokes cost eight times as much (npm run bench), and 60 fps are lost.
    context.lineWidth = 1;
    context.beginPath();
    let pen = false;
    if (perPixel <= 2) {
      for (let frame = from; frame < to; frame++) {
        const value = ring.value(frame, channel);
        if (gap < gaps.length && (gaps[gap] as number) <= frame) {
          pen = false;
          gap++;
        }
        if (!Number.isFinite(value)) {
          pen = false;
          continue;
        }
        const x = left + (frame - start) * pixels;
        if (pen) context.lineTo(x, y(value));
        else context.moveTo(x, y(value));
        pen = true;
      }
    } else {
      // Bins lie at fixed frame numbers, so that the picture scrolls without shimmering.
      const bin = Math.floor(perPixel);
      const firstBin = Math.floor(from / bin);
      const lastBin = Math.ceil(to / bin);
      if (this.#columns.length < 2 * (lastBin - firstBin)) this.#columns = new Float32Array(4 * (lastBin - firstBin));
      for (let index = firstBin; index < lastBin; index++) {
        const at = 2 * (index - firstBin);
        ring.minMax(channel, Math.max(from, index * bin), Math.min(to, (index + 1) * bin), this.#columns, at);
        const low = this.#columns[at] as number;
        const high = this.#columns[at + 1] as number;
        if (gap < gaps.length && (gaps[gap] as number) < (index + 1) * bin) {
          pen = false;
          while (gap < gaps.length && (gaps[gap] as number) < (index + 1) * bin) gap++;
        }
        if (!(low <= high)) {
          pen = false;
          continue;
        }
        const x = left + ((index + 0.5) * bin - start) * pixels;
        if (pen) context.lineTo(x, y(low));
        else context.moveTo(x, y(low));
        context.lineTo(x, y(high));
        pen = true;
      }
    }
    context.stroke();
  }

  #drawGapsAndCursor(view: ScopeView, left: number, plotWidth: number, colors: ScopeColors): void {
    const context = this.#context;
    const bottom = this.#height - FOOT;
    context.lineWidth = 1;
    context.strokeStyle = colors.gap;
    context.setLineDash([3, 3]);
    context.beginPath();
    for (const gap of view.ring.gaps) {
      const x = Math.round(this.#x(gap, view, left, plotWidth)) + 0.5;
      if (x < left || x > left + plotWidth) continue;
      context.moveTo(x, HEAD);
      context.lineTo(x, bottom);
    }
    context.stroke();
    context.setLineDash([]);
    if (view.cursor === null) return;
    const x = this.#x(view.cursor, view, left, plotWidth);
    if (x < left || x > left + plotWidth) return;
    context.strokeStyle = colors.ink;
    context.lineWidth = 1.5;
    context.beginPath();
    context.moveTo(x, HEAD);
    context.lineTo(x, bottom);
    context.stroke();
  }

  /** Widens at once, narrows after a while: the picture must not breathe. */
  #follow(lane: number, low: number, high: number, now: number): LaneRange {
    const current = this.#ranges[lane];
    if (!(low <= high)) return current ?? niceRange(-1, 1);
    if (!current || low < current.low || high > current.high) {
      const keepLow = current ? Math.min(low, current.low) : low;
      const keepHigh = current ? Math.max(high, current.high) : high;
      // Widened from both ends it would never come back to the middle: shrinking does that.
      const next = niceRange(
        current && low >= current.low ? keepLow : low,
        current && high <= current.high ? keepHigh : high,
      );
      this.#ranges[lane] = next;
      this.#narrowSince[lane] = now;
      return next;
    }
    const next = niceRange(low, high);
    if (next.high - next.low > (current.high - current.low) * SHRINK_BELOW) this.#narrowSince[lane] = now;
    else if (now - (this.#narrowSince[lane] ?? now) > SHRINK_AFTER_MS) {
      this.#ranges[lane] = next;
      this.#narrowSince[lane] = now;
      return next;
    }
    return current;
  }
}

/**
 * Where the right edge of a live scope stands. Samples arrive in bursts; the edge moves steadily at the stream's rate,
 * a little behind, and is drawn gently towards where it should be.
 */
export class SteadyEdge {
  #edge = 0;
  #last = 0;
  #started = false;

  /** @param lagMs how far behind the newest frame the edge keeps, to ride out the pauses between bursts. */
  constructor(private readonly lagMs = 80) {}

  advance(total: number, rateHz: number, nowMs: number): number {
    const target = total - (this.lagMs / 1000) * rateHz;
    const elapsed = nowMs - this.#last;
    this.#last = nowMs;
    if (!this.#started || Math.abs(target - this.#edge) > rateHz || elapsed > 500) {
      this.#started = true;
      this.#edge = target;
      return Math.max(0, this.#edge);
    }
    this.#edge += (elapsed / 1000) * rateHz;
    this.#edge += (target - this.#edge) * Math.min(1, elapsed / 400);
    this.#edge = Math.min(this.#edge, total);
    return Math.max(0, this.#edge);
  }
}
