import { expect, test } from 'vitest';
import { SampleRing } from '../state/sample-ring';
import { lanesOf, niceRange, niceStep, ScopeRenderer, SteadyEdge, type ScopeView } from './scope-renderer';

test.each([
  [0.13, 0.2],
  [0.2, 0.2],
  [1, 1],
  [3, 5],
  [7, 10],
  [0, 1],
  [NaN, 1],
])('step for %s', (raw, wanted) => expect(niceStep(raw)).toBeCloseTo(wanted, 12));

test.each([
  [-1.2, 9.9],
  [0, 0],
  [5, 5],
  [-3e-7, 3e-7],
  [1e6, 1e6 + 1],
])('a range holds %s to %s and is not much wider', (low, high) => {
  const range = niceRange(low, high);
  expect(range.low).toBeLessThan(low + 1e-12);
  expect(range.high).toBeGreaterThan(high - 1e-12);
  expect(range.high - range.low).toBeLessThan(Math.max(2.2 * (high - low), 0.1 * Math.max(Math.abs(high), 1e-5)));
});

test('channels of one unit share a lane, many units share one', () => {
  const channel = (name: string, unit: string) => ({ name, unit });
  expect(lanesOf([channel('x', 'g'), channel('r', 'deg/s'), channel('y', 'g')])).toEqual([
    { unit: 'g', channels: [0, 2] },
    { unit: 'deg/s', channels: [1] },
  ]);
  expect(lanesOf(['a', 'b', 'c', 'd', 'e'].map((unit) => channel(unit, unit)))).toHaveLength(1);
});

test('the edge moves evenly while samples come in bursts', () => {
  const edge = new SteadyEdge(80);
  const rate = 100;
  const positions: number[] = [];
  for (let frame = 0; frame < 300; frame++) {
    const now = (frame * 1000) / 60;
    const total = Math.floor(now / 40) * 4; // four samples each 40 ms
    positions.push(edge.advance(total, rate, now));
  }
  const steps = positions.slice(121).map((position, index) => position - (positions[index + 120] as number));
  expect(Math.max(...steps)).toBeLessThan((rate / 60) * 1.25);
  expect(Math.min(...steps)).toBeGreaterThan((rate / 60) * 0.75);
  expect(positions.at(-1)).toBeLessThanOrEqual(498);
});

/** Draws nothing, counts what is asked for, and ends a loop that would not end. */
function countingContext() {
  const calls = { count: 0, texts: [] as string[] };
  const target = { canvas: { width: 1, height: 1 } };
  const context = new Proxy<Record<string, unknown>>(target, {
    get: (own, name) =>
      name in own
        ? own[String(name)]
        : (first: unknown) => {
            if (++calls.count > 100_000) throw new Error('the drawing does not end');
            if (name === 'fillText') calls.texts.push(String(first));
            return { width: 10 };
          },
  });
  return { calls, context: context as unknown as CanvasRenderingContext2D };
}

function draw(view: Partial<ScopeView>) {
  const { calls, context } = countingContext();
  const renderer = new ScopeRenderer(context);
  renderer.setColors({ screen: '', grid: '', axis: '', ink: '', mark: '', gap: '', traces: ['a'] }, '11px sans-serif');
  renderer.resize(600, 300, 1);
  const rateHz = view.rateHz ?? 100;
  renderer.draw({
    ring: new SampleRing(1, 100),
    lanes: [],
    hidden: [],
    rateHz,
    endFrame: 0,
    spanFrames: Math.max(2, 6 * rateHz),
    axis: 'before-now',
    marks: [],
    cursor: null,
    now: 0,
    ...view,
  });
  return calls;
}

test.each(['before-now', 'from-start'] as const)(
  'a board without channels and without a rate is drawn (%s)',
  (axis) => {
    const { texts } = draw({ rateHz: 0, axis, endFrame: new SteadyEdge().advance(0, 0, 1000) });
    expect(texts).toEqual([]);
    expect(draw({ axis, endFrame: 600 }).texts.length).toBeGreaterThan(5);
  },
);

test.each([
  [1e39, -1e39],
  [1e39, 1],
  [NaN, NaN],
  [3e38, -3e38],
])('samples %s and %s are drawn, and the axis ends', (...values) => {
  const ring = new SampleRing(1, 100);
  ring.push(Float32Array.from(values));
  const { count, texts } = draw({ ring, lanes: [{ unit: 'g', channels: [0] }], endFrame: 2 });
  expect(count).toBeLessThan(500);
  // More than the time axis and the unit: the lane has figures.
  expect(texts.length).toBeGreaterThan(draw({}).texts.length + 2);
});
