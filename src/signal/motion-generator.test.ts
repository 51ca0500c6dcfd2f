import { expect, test } from 'vitest';
import { generateRecording, MotionGenerator } from './motion-generator';

const GRAVITY = 9.80665;

function column(samples: Float32Array, axis: number): Float32Array {
  return samples.filter((_, i) => i % 6 === axis);
}

function deviation(values: Float32Array): number {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length);
}

/** Mean times per second that the values pass their mean upwards. */
function upwardCrossings(values: Float32Array, rateHz: number): number {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  let count = 0;
  for (let i = 1; i < values.length; i++) if (values[i - 1]! < mean && values[i]! >= mean) count++;
  return (count * rateHz) / values.length;
}

test('equal seeds give equal samples, other seeds others', () => {
  const options = { gesture: 'wave', seconds: 2, rateHz: 100, seed: 5 };
  const first = generateRecording(options);
  expect(generateRecording(options)).toEqual(first);
  expect(generateRecording({ ...options, seed: 6 }).samples).not.toEqual(first.samples);
  expect(first.recording).toMatchObject({ frames: 200, label: 'wave', rateHz: 100 });
  expect(first.samples.length).toBe(1200);
});

test('the samples are the same on every machine', () => {
  const { samples } = generateRecording({ gesture: 'circle', seconds: 1, rateHz: 50, seed: 1 });
  expect([...samples.subarray(294)]).toMatchInlineSnapshot(`
    [
      -5.625030040740967,
      4.457210540771484,
      9.475481033325195,
      -28.257362365722656,
      44.29498291015625,
      -13.230361938476562,
    ]
  `);
});

test('a resting hand feels gravity and hardly turns', () => {
  const { samples } = generateRecording({ gesture: 'idle', seconds: 30, rateHz: 100, seed: 2 });
  for (let frame = 0; frame < samples.length / 6; frame += 50) {
    const [x, y, z] = samples.subarray(frame * 6, frame * 6 + 3);
    expect(Math.hypot(x!, y!, z!)).toBeGreaterThan(GRAVITY - 0.8);
    expect(Math.hypot(x!, y!, z!)).toBeLessThan(GRAVITY + 0.8);
  }
  for (let axis = 3; axis < 6; axis++) expect(deviation(column(samples, axis))).toBeLessThan(8);
});

test('every gesture moves in its own way', () => {
  const seen = (gesture: string) => {
    const { samples } = generateRecording({ gesture, seconds: 40, rateHz: 100, seed: 3 });
    return [0, 1, 2, 3, 4, 5].map((axis) => ({
      deviation: deviation(column(samples, axis)),
      tempo: upwardCrossings(column(samples, axis), 100),
    }));
  };
  const wave = seen('wave');
  expect(wave[0]!.deviation).toBeGreaterThan(4);
  expect(wave[0]!.deviation).toBeGreaterThan(5 * wave[1]!.deviation);
  expect(wave[0]!.tempo).toBeCloseTo(1.4, 0);
  const updown = seen('updown');
  expect(updown[2]!.deviation).toBeGreaterThan(5 * updown[0]!.deviation);
  const circle = seen('circle');
  expect(circle[0]!.deviation / circle[1]!.deviation).toBeCloseTo(1, 0);
  const shake = seen('shake');
  expect(shake[1]!.deviation).toBeGreaterThan(6);
  expect(shake[1]!.tempo).toBeGreaterThan(3.5);
});

test('no two repetitions are alike', () => {
  const { samples } = generateRecording({ gesture: 'wave', seconds: 60, rateHz: 100, seed: 4, noise: 0 });
  const x = column(samples, 0);
  const peaks: number[] = [];
  for (let i = 1; i + 1 < x.length; i++) if (x[i]! > 4 && x[i]! > x[i - 1]! && x[i]! >= x[i + 1]!) peaks.push(x[i]!);
  expect(peaks.length).toBeGreaterThan(60);
  expect(deviation(Float32Array.from(peaks))).toBeGreaterThan(0.5);
});

test('a change of gesture is smooth', () => {
  const generator = new MotionGenerator({ seed: 9, rateHz: 200 });
  const slow = ['wave', 'circle', 'updown', 'idle'];
  generator.set({ noise: 0, gesture: 'idle' });
  const before = new Float32Array(6);
  const now = new Float32Array(6);
  let largest = 0;
  for (let frame = 0; frame < 4000; frame++) {
    if (frame % 500 === 250) generator.set({ gesture: slow[((frame - 250) / 500) % slow.length]! });
    generator.next(now);
    if (frame > 0)
      for (let axis = 0; axis < 3; axis++) largest = Math.max(largest, Math.abs(now[axis]! - before[axis]!));
    before.set(now);
  }
  // These change by about 8 m/s2 * 2 pi * 1.4 Hz / 200 Hz = 0.4 m/s2 per sample; a jump would be up to 8.
  expect(largest).toBeGreaterThan(0.2);
  expect(largest).toBeLessThan(1.2);
});

test('gravity, noise and amplitude can be set', () => {
  const still = generateRecording({ gesture: 'idle', seconds: 5, rateHz: 100, seed: 2, gravity: false, noise: 0 });
  for (let axis = 0; axis < 3; axis++) expect(Math.max(...column(still.samples, axis).map(Math.abs))).toBeLessThan(0.3);
  const noisy = generateRecording({ gesture: 'idle', seconds: 5, rateHz: 100, seed: 2, gravity: false, noise: 2 });
  expect(deviation(column(noisy.samples, 0))).toBeGreaterThan(1.7);
  const flat = generateRecording({ gesture: 'wave', seconds: 5, rateHz: 100, seed: 2, amplitude: 0, noise: 0 });
  const idle = generateRecording({ gesture: 'idle', seconds: 5, rateHz: 100, seed: 2, noise: 0 });
  expect(flat.samples).toEqual(idle.samples);
});

test('the gyroscope is the rate of the posture that gravity shows', () => {
  // Without acceleration of its own, a slowly turning board shows gravity turning: d(acc)/dt = acc x omega.
  const rateHz = 1000;
  const { samples } = generateRecording({ gesture: 'idle', seconds: 4, rateHz, seed: 11, noise: 0 });
  const generator = { wrong: 0, right: 0 };
  for (let frame = 500; frame < 3500; frame += 250) {
    const at = (index: number) => [0, 1, 2, 3, 4, 5].map((axis) => samples[index * 6 + axis]!);
    const span = 250;
    const start = at(frame);
    const end = at(frame + span);
    // Integrate acc x omega over the span.
    const turned = [0, 0, 0];
    for (let i = frame; i < frame + span; i++) {
      const [ax, ay, az, gx, gy, gz] = at(i).map((v, axis) => (axis > 2 ? (v * Math.PI) / 180 : v)) as [
        number,
        number,
        number,
        number,
        number,
        number,
      ];
      turned[0]! += (ay * gz - az * gy) / rateHz;
      turned[1]! += (az * gx - ax * gz) / rateHz;
      turned[2]! += (ax * gy - ay * gx) / rateHz;
    }
    for (let axis = 0; axis < 2; axis++) {
      const change = end[axis]! - start[axis]!;
      generator.right += (change - turned[axis]!) ** 2;
      generator.wrong += (change + turned[axis]!) ** 2;
    }
  }
  // Tremor adds acceleration that does not come from turning, so compare against the opposite sign.
  expect(generator.right).toBeLessThan(generator.wrong / 2);
});

test('unfit settings are refused in words', () => {
  const generator = new MotionGenerator({ seed: 1, rateHz: 100 });
  expect(() => generator.set({ gesture: 'fly' })).toThrow(/no gesture “fly”.*idle, wave/);
  expect(() => generator.set({ noise: -1 })).toThrow(RangeError);
  expect(() => generator.set({ amplitude: Number.NaN })).toThrow(RangeError);
  expect(() => new MotionGenerator({ seed: 1, rateHz: 0 })).toThrow(RangeError);
  expect(() => generateRecording({ gesture: 'idle', seconds: -1, rateHz: 100, seed: 1 })).toThrow(RangeError);
});
