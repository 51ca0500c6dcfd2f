/** The live scope against a plain canvas that draws the same points: same data, same size, one frame after another. */
import { lanesOf, ScopeRenderer, type ScopeView } from '../../../src/studio/components/scope-renderer';
import { SampleRing } from '../../../src/studio/state/sample-ring';

const CHANNELS = ['accX', 'accY', 'accZ', 'gyrX', 'gyrY', 'gyrZ'].map((name) => ({
  name,
  unit: name.startsWith('acc') ? 'm/s2' : 'deg/s',
}));
const COLORS = ['#e6194b', '#3cb44b', '#4363d8', '#f58231', '#911eb4', '#008080'];

export interface ScopeCase {
  readonly rateHz: number;
  readonly seconds: number;
}

export type ScopeKind = 'ours' | 'plain';

/** Draws `frames` animation frames of a running signal; resolves with the wall time in ms. */
export function drawFrames(kind: ScopeKind, { rateHz, seconds }: ScopeCase, frames: number): Promise<number> {
  const canvas = document.getElementById(kind) as HTMLCanvasElement;
  const context = canvas.getContext('2d');
  if (!context) throw new Error('no 2d context');
  const span = rateHz * seconds;
  const ring = new SampleRing(CHANNELS.length, span + rateHz);
  const frame = new Float32Array(CHANNELS.length);
  let time = 0;
  const push = (count: number) => {
    for (let i = 0; i < count; i++, time++) {
      for (let c = 0; c < frame.length; c++)
        frame[c] = Math.sin(time / (17 + 9 * c)) + 0.2 * Math.sin(time * (c + 1.3));
      ring.push(frame);
    }
  };
  push(span);
  const draw = kind === 'ours' ? oursDrawer(context, ring, span, rateHz) : plainDrawer(context, ring, span);
  const perFrame = rateHz / 60;
  let owed = 0;
  return new Promise((resolve) => {
    const started = performance.now();
    let done = 0;
    const tick = () => {
      owed += perFrame;
      push(Math.floor(owed));
      owed -= Math.floor(owed);
      draw();
      if (++done < frames) requestAnimationFrame(tick);
      else resolve(performance.now() - started);
    };
    requestAnimationFrame(tick);
  });
}

function oursDrawer(context: CanvasRenderingContext2D, ring: SampleRing, span: number, rateHz: number): () => void {
  const renderer = new ScopeRenderer(context);
  renderer.resize(1000, 400, 1);
  renderer.setColors(
    { screen: '#fff', grid: '#ddd', axis: '#888', ink: '#222', mark: '#ccc', gap: '#f00', traces: COLORS },
    '11px sans-serif',
  );
  const lanes = lanesOf(CHANNELS);
  return () => {
    const view: ScopeView = {
      ring,
      lanes,
      hidden: CHANNELS.map(() => false),
      rateHz,
      endFrame: ring.total,
      spanFrames: span,
      axis: 'before-now',
      marks: [],
      cursor: null,
      now: performance.now(),
    };
    renderer.draw(view);
  };
}

function plainDrawer(context: CanvasRenderingContext2D, ring: SampleRing, span: number): () => void {
  return () => {
    context.fillStyle = '#fff';
    context.fillRect(0, 0, 1000, 400);
    const first = ring.total - span;
    for (let c = 0; c < CHANNELS.length; c++) {
      context.strokeStyle = COLORS[c] ?? '#000';
      context.beginPath();
      for (let i = 0; i < span; i++) {
        const y = 200 - ring.value(first + i, c) * 60 + (c < 3 ? -90 : 90);
        const x = (i / span) * 1000;
        if (i === 0) context.moveTo(x, y);
        else context.lineTo(x, y);
      }
      context.stroke();
    }
  };
}
