import { expect, test } from 'vitest';
import { assessTimes, QualityMeter } from './quality';

test('sequence gaps are counted, across the wrap too', () => {
  const meter = new QualityMeter();
  let sequence = 2 ** 32 - 25;
  let time = 0;
  for (let i = 0; i < 20; i++) {
    if (i === 5 || i === 12) {
      sequence += 3;
      time += 30;
    }
    meter.add({
      frames: 10,
      sequence: sequence % 2 ** 32,
      lostBefore: 0,
      boardTimeUs: ((time * 1000 + 4_294_900_000) % 2 ** 32) >>> 0,
      arrivedAt: time + 7 + (i % 3),
    });
    sequence += 10;
    time += 100;
  }
  expect(meter.quality).toMatchObject({ lostFrames: 6, gaps: 2, malformed: 0 });
  expect(meter.measuredRateHz).toBeCloseTo(100, 6);
  expect(meter.quality.jitterMs).toBeLessThan(0.01);
});

test('without numbers, what the dialect counted is kept and arrival gives the rate', () => {
  const meter = new QualityMeter();
  for (let i = 0; i < 50; i++) {
    meter.add({
      frames: 5,
      sequence: null,
      lostBefore: i === 10 ? 5 : 0,
      boardTimeUs: null,
      arrivedAt: (i + (i >= 10 ? 1 : 0)) * 50,
    });
  }
  meter.addMalformed();
  meter.addMalformed(2);
  expect(meter.quality).toMatchObject({ lostFrames: 5, gaps: 1, malformed: 3 });
  expect(meter.measuredRateHz).toBeCloseTo(100, 4);
});

test('a board that restarted is a gap of unknown length, not four thousand million frames', () => {
  const meter = new QualityMeter();
  for (let i = 0; i < 50; i++) {
    meter.add({
      frames: 10,
      sequence: i < 25 ? 5000 + i * 10 : (i - 25) * 10,
      lostBefore: 0,
      boardTimeUs: i * 100_000,
      arrivedAt: i * 100,
    });
  }
  expect(meter.quality).toMatchObject({ lostFrames: 0, gaps: 1 });
  expect(meter.measuredRateHz).toBeCloseTo(100, 6);
});

test('nothing seen, nothing claimed', () => {
  expect(new QualityMeter().quality).toEqual({ lostFrames: 0, gaps: 0, jitterMs: null, malformed: 0 });
  expect(new QualityMeter().measuredRateHz).toBeNull();
});

test('even times give the exact rate', () => {
  expect(assessTimes(Float64Array.from({ length: 200 }, (_, i) => i * 16))).toMatchObject({
    nominalRateHz: 62.5,
    quality: { lostFrames: 0, gaps: 0 },
    notRising: 0,
  });
  const odd = assessTimes(Float64Array.from({ length: 200 }, (_, i) => i * 5.0349121093750115))!;
  expect(odd.nominalRateHz).toBeCloseTo(1000 / 5.0349121093750115, 9);
});

test('times stamped in whole milliseconds give the rate behind them', () => {
  const got = assessTimes(Float64Array.from({ length: 1000 }, (_, i) => Math.floor((i * 1000) / 119)))!;
  expect(got.nominalRateHz).toBe(119);
  expect(got.measuredRateHz).toBeCloseTo(119, 2);
  expect(got.quality).toMatchObject({ lostFrames: 0, gaps: 0 });
  expect(got.quality.jitterMs).toBeLessThan(0.5);
});

test('gaps are found and do not bend the rate', () => {
  const times: number[] = [];
  for (let i = 0; i < 300; i++) if (i !== 50 && (i < 100 || i >= 120)) times.push(i * 10);
  const got = assessTimes(Float64Array.from(times))!;
  expect(got).toMatchObject({ nominalRateHz: 100, quality: { lostFrames: 21, gaps: 2 } });
  expect(got.measuredRateHz).toBeCloseTo(100, 9);
});

test('times that stand still or fall are counted', () => {
  const got = assessTimes(Float64Array.of(0, 10, 20, 20, 30, 40, 35, 50, 60))!;
  expect(got.notRising).toBe(2);
  expect(assessTimes(Float64Array.of(5))).toBeNull();
  expect(assessTimes(Float64Array.of(5, 5, 5))).toBeNull();
  expect(assessTimes(Float64Array.of(3, 2, 1))).toBeNull();
});
