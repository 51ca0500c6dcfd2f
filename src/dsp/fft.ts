/**
 * Power of the real FFT of one frame, float32-exact. Twin of `mote_spectral_hold` in
 * firmware/mote/src/mote_spectral.h: change both.
 */

const fround = Math.fround;

/** Quarter wave for a real FFT of `length` points: sin(2 pi k / length) for k = 0..length/4, as float32. */
export function sineTable(length: number): number[] {
  return Array.from({ length: length / 4 + 1 }, (_, k) =>
    k === length / 4 ? 1 : fround(Math.sin((2 * Math.PI * k) / length)),
  );
}

/**
 * Four times the power |X[k]|^2, k = 0..length/2, of the frame x[start .. start + length), zero beyond `count`
 * samples; `hold` keeps the maximum with what it has (NaN never enters).
 *
 * A complex FFT of length/2 points over the packed signal (decimation in time; the first two radix-2 stages are done
 * while loading, without products), then the split into the spectrum of the real signal.
 * @param sine table of `sineTable(length)` starting at `floats[at]`.
 * @param memory work space: `length` floats at 0; the spectrum is held at `length .. length + length/2`.
 */
export function holdFrame(
  x: Float32Array,
  start: number,
  count: number,
  length: number,
  floats: Float32Array,
  at: number,
  memory: Float32Array,
): void {
  const points = length >> 1;
  const quarter = points >> 2;
  const peak = length >> 2;
  const stop = start + count;
  const z = memory;
  const hold = length;

  let reversed = 0;
  for (let k = 0; k < quarter; k++) {
    const p = 8 * reversed;
    const ia = start + 2 * k;
    const ib = ia + 2 * quarter;
    const ic = ib + 2 * quarter;
    const id = ic + 2 * quarter;
    const ar = ia < stop ? x[ia]! : 0;
    const ai = ia + 1 < stop ? x[ia + 1]! : 0;
    const br = ib < stop ? x[ib]! : 0;
    const bi = ib + 1 < stop ? x[ib + 1]! : 0;
    const cr = ic < stop ? x[ic]! : 0;
    const ci = ic + 1 < stop ? x[ic + 1]! : 0;
    const dr = id < stop ? x[id]! : 0;
    const di = id + 1 < stop ? x[id + 1]! : 0;
    const er = fround(ar + cr);
    const ei = fround(ai + ci);
    const fr = fround(ar - cr);
    const fi = fround(ai - ci);
    const gr = fround(br + dr);
    const gi = fround(bi + di);
    const hr = fround(br - dr);
    const hi = fround(bi - di);
    z[p] = er + gr;
    z[p + 1] = ei + gi;
    z[p + 2] = fr + hi;
    z[p + 3] = fi - hr;
    z[p + 4] = er - gr;
    z[p + 5] = ei - gi;
    z[p + 6] = fr - hi;
    z[p + 7] = fi + hr;
    let bit = quarter >> 1;
    for (; bit > 0 && (reversed & bit) !== 0; bit >>= 1) reversed -= bit;
    reversed += bit;
  }

  for (let half = 4; half < points; half *= 2) {
    for (let i = 0; i < points; i += 2 * half) {
      const a = 2 * i;
      const b = a + 2 * half;
      const ar = z[a]!;
      const ai = z[a + 1]!;
      const br = z[b]!;
      const bi = z[b + 1]!;
      z[b] = ar - br;
      z[b + 1] = ai - bi;
      z[a] = ar + br;
      z[a + 1] = ai + bi;
    }
    for (let j = 1; j < half; j++) {
      const turn = j * (points / half);
      const c = turn <= peak ? floats[at + peak - turn]! : -floats[at + turn - peak]!;
      const s = turn <= peak ? floats[at + turn]! : floats[at + points - turn]!;
      for (let i = j; i < points; i += 2 * half) {
        const a = 2 * i;
        const b = a + 2 * half;
        const ar = z[a]!;
        const ai = z[a + 1]!;
        const zr = z[b]!;
        const zi = z[b + 1]!;
        const br = fround(fround(c * zr) + fround(s * zi));
        const bi = fround(fround(c * zi) - fround(s * zr));
        z[b] = ar - br;
        z[b + 1] = ai - bi;
        z[a] = ar + br;
        z[a + 1] = ai + bi;
      }
    }
  }

  const z0 = z[0]!;
  const z1 = z[1]!;
  let power = fround(2 * fround(z0 + z1));
  power = fround(power * power);
  if (power > z[hold]!) z[hold] = power;
  power = fround(2 * fround(z0 - z1));
  power = fround(power * power);
  if (power > z[hold + points]!) z[hold + points] = power;
  for (let k = 1; k < points >> 1; k++) {
    const a = 2 * k;
    const b = 2 * (points - k);
    const er = fround(z[a]! + z[b]!);
    const ei = fround(z[a + 1]! - z[b + 1]!);
    const qr = fround(z[a + 1]! + z[b + 1]!);
    const qi = fround(z[b]! - z[a]!);
    const c = floats[at + peak - k]!;
    const s = floats[at + k]!;
    const tr = fround(fround(c * qr) + fround(s * qi));
    const ti = fround(fround(c * qi) - fround(s * qr));
    const pr = fround(er + tr);
    const pi = fround(ei + ti);
    const mr = fround(er - tr);
    const mi = fround(ei - ti);
    power = fround(fround(pr * pr) + fround(pi * pi));
    if (power > z[hold + k]!) z[hold + k] = power;
    power = fround(fround(mr * mr) + fround(mi * mi));
    if (power > z[hold + points - k]!) z[hold + points - k] = power;
  }
  const mr = z[points]!;
  const mi = z[points + 1]!;
  power = fround(4 * fround(fround(mr * mr) + fround(mi * mi)));
  if (power > z[hold + (points >> 1)]!) z[hold + (points >> 1)] = power;
}
