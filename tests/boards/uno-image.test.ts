/** Models to images for the Uno and back; what does not fit, and what would. */
import { describe, expect, it } from 'vitest';
import { FLATTEN, RAW, SPECTRAL, UNO_MEMORY, unoModel } from '../fixtures/uno-model';
import { Random } from '../../src/signal/random';
import { ByteWriter } from '../../src/emit/byte-writer';
import { crc32 } from '../../src/emit/crc32';
import { emitHeader } from '../../src/emit/header';
import { micropythonFiles, micropythonZipFiles } from '../../src/emit/micropython/micropython-bundle';
import { EmitError, type EmitErrorCode } from '../../src/emit/model';
import { readPack, writePack } from '../../src/emit/pack';
import { readUnoImage, unoImageBytes } from '../../src/emit/read-uno-image';
import { createRunner } from '../../src/emit/run-model';
import { fitUno, sameOnUno, shapeOf, unoImage, unoSizes } from '../../src/emit/uno-image';

const MEMORY = UNO_MEMORY;
const CHANNELS = ['A0', 'A1', 'A2'].map((name) => ({ name, unit: 'V' }));
const MODELS = [
  unoModel({ seed: 1, windowMs: 1000, blocks: [FLATTEN], hidden: 16 }),
  unoModel({ seed: 2, windowMs: 1000, blocks: [SPECTRAL], hidden: 16 }),
  unoModel({ seed: 3, windowMs: 800, blocks: [RAW, FLATTEN], hidden: 20 }),
];
/** Where older boot loaders are, there is no room for all of its known answers. */
const BIG = { seed: 3, windowMs: 1000, blocks: [FLATTEN], hidden: 80 };
const ID = 0xa1b2c3d4;

function codeOf(run: () => unknown): EmitErrorCode | null {
  try {
    run();
    return null;
  } catch (error) {
    expect(error).toBeInstanceOf(EmitError);
    return (error as EmitError).code;
  }
}

/** The image with its CRC made right again. */
function sealed(image: Uint8Array): Uint8Array {
  const out = image.slice();
  new DataView(out.buffer).setUint32(8, crc32(out.subarray(12)), true);
  return out;
}

describe('reading an image back', () => {
  it.each(MODELS.map((model, i) => [i, model] as const))('model %s computes the same bytes', (_, model) => {
    const image = unoImage(model, ID, MEMORY);
    // As it comes from flash: with erased bytes behind it.
    const flash = new Uint8Array(MEMORY.modelEnd - MEMORY.modelStart).fill(0xff);
    flash.set(image);
    expect(unoImageBytes(flash)).toBe(image.length);
    const { id, model: back } = readUnoImage(flash, CHANNELS);
    expect(id).toBe(ID);
    expect(back.labels).toEqual(model.labels);
    expect(back.prefix).toBe(model.prefix);
    expect(back.input).toEqual({ ...model.input, channels: CHANNELS });
    expect(back.smoothing.windows).toBe(model.smoothing.windows);
    // The same image again: nothing that the board knows was lost.
    expect(unoImage(back, ID, MEMORY)).toEqual(image);
    const [first, second] = [createRunner(model), createRunner(back)];
    const random = new Random(5);
    for (let i = 0; i < 20; i++) {
      const window = Float32Array.from({ length: first.frames * first.channels }, () => random.between(0, 5));
      const [a, b] = [first.classify(window), second.classify(window)];
      expect(b.featureCrc).toBe(a.featureCrc);
      expect([...b.scores]).toEqual([...a.scores]);
    }
    // And it is a whole model: it has a pack.
    expect(readPack(writePack(back)).labels).toEqual(model.labels);
  });

  it('refuses erased flash, another program, another version, damage, and a cut', () => {
    const image = unoImage(
      MODELS[0] ?? unoModel({ seed: 1, windowMs: 1000, blocks: [FLATTEN], hidden: 16 }),
      ID,
      MEMORY,
    );
    expect(codeOf(() => readUnoImage(new Uint8Array(5120).fill(0xff), CHANNELS))).toBe('pack-magic');
    expect(codeOf(() => readUnoImage(new Uint8Array(0), CHANNELS))).toBe('pack-magic');
    expect(codeOf(() => readUnoImage(image.subarray(0, image.length - 1), CHANNELS))).toBe('pack-truncated');
    const newer = image.slice();
    newer[4] = 9;
    expect(codeOf(() => readUnoImage(newer, CHANNELS))).toBe('pack-version');
    const other = image.slice();
    other[600] = (other[600] ?? 0) ^ 1;
    expect(codeOf(() => readUnoImage(other, CHANNELS))).toBe('pack-crc');
    // With its CRC made right the known answers tell.
    expect(codeOf(() => readUnoImage(sealed(other), CHANNELS))).toBe('pack-corrupt');
    expect(codeOf(() => readUnoImage(image, CHANNELS.slice(1)))).toBe('pack-corrupt');
  });

  it('is never led astray, whatever bytes are in it', () => {
    const random = new Random(8);
    const image = unoImage(unoModel({ seed: 4, windowMs: 400, blocks: [FLATTEN], hidden: 4 }), ID, MEMORY);
    let taken = 0;
    for (let run = 0; run < 4000; run++) {
      const bytes = image.slice();
      for (let change = 0; change <= run % 3; change++) {
        // The head and the lengths in it most of all.
        const at = 12 + Math.floor(random.next() ** 3 * (bytes.length - 12));
        bytes[at] = random.nextUint32() & 0xff;
      }
      const code = codeOf(() => readUnoImage(sealed(bytes), CHANNELS));
      if (code === null) taken++;
      else expect(['pack-corrupt', 'pack-truncated']).toContain(code);
    }
    // Names, ids and rates may be other ones: that is no contradiction.
    expect(taken).toBeLessThan(2000);
    const noise = new ByteWriter();
    for (let i = 0; i < 300; i++) noise.u32(random.nextUint32());
    expect(codeOf(() => readUnoImage(noise.finish(), CHANNELS))).toBe('pack-magic');
  });
});

describe('a model made of an image', () => {
  const original = MODELS[0] ?? unoModel({ seed: 1, windowMs: 1000, blocks: [FLATTEN], hidden: 16 });
  const back = readUnoImage(unoImage(original, ID, MEMORY), CHANNELS).model;
  const pack = writePack(back);

  it('is the same on an Uno, whatever known answers it has; another model is not', () => {
    expect(sameOnUno(original, back)).toBe(true);
    const [most, fewer] = [MEMORY.modelEnd, MEMORY.modelEndOldNano].map(
      (end) => readUnoImage(unoImage(unoModel(BIG), ID, MEMORY, end), CHANNELS).model,
    );
    if (!most || !fewer) throw new Error('an image was not read');
    expect(fewer.selfTest.featureCrc.length).toBeLessThan(most.selfTest.featureCrc.length);
    expect(sameOnUno(fewer, most)).toBe(true);
    for (const other of MODELS.slice(1)) expect(sameOnUno(other, back)).toBe(false);
    expect(sameOnUno({ ...back, labels: [...back.labels].reverse() }, back)).toBe(false);
    expect(sameOnUno({ ...back, smoothing: { ...back.smoothing, threshold: 0.9 } }, back)).toBe(false);
  });

  it('has a header that claims no accuracy, no training and no scale of features', () => {
    const header = emitHeader(pack);
    expect(header).toContain('This model was read back from an Arduino Uno');
    for (const claim of ['Accuracy on', 'Trained on', 'held out', 'Seed:', 'Pipeline:', '_INPUT_SCALE'])
      expect(header).not.toContain(claim);
    expect(emitHeader(writePack(original))).toContain('_INPUT_SCALE');
  });

  it('has no .tflite: not for MicroPython, and so not for the ml module of OpenMV either', () => {
    expect(micropythonZipFiles(pack).map(({ path }) => path)).toEqual([
      'README.md',
      ...['model.py', 'model_test.bin', 'main.py', 'read_sensor.py', 'model.h'].map((name) => `micropython/${name}`),
    ]);
    expect(micropythonFiles(pack, { ml: true })).toEqual(micropythonFiles(pack));
    const [readme] = micropythonZipFiles(pack);
    expect(new TextDecoder().decode(readme?.bytes)).not.toMatch(/tflite|openmv/i);
    expect(micropythonZipFiles(writePack(original)).map(({ path }) => path)).toContain('openmv/model.tflite');
  });
});

describe('what fits', () => {
  it('takes the models of the emulated board', () => {
    for (const model of MODELS) expect(fitUno(model, MEMORY)).toMatchObject({ problems: [], remedies: [] });
  });

  it('knows sizes from the shape alone, to the byte', () => {
    for (const model of [...MODELS, unoModel({ seed: 5, windowMs: 400, blocks: [RAW, SPECTRAL], hidden: 40 })]) {
      const { ramBytes, imageBytes } = fitUno(model, MEMORY);
      expect(unoSizes(shapeOf(model))).toEqual({ ram: ramBytes, image: imageBytes });
    }
  });

  it('too many units or features for the flash: says how many would fit, and they do', () => {
    const make = (hidden: number) => unoModel({ seed: 6, windowMs: 800, blocks: [RAW, FLATTEN], hidden });
    const { problems, remedies } = fitUno(make(150), MEMORY);
    expect(problems.map(({ code }) => code)).toEqual(['flash']);
    const units = remedies.find((remedy) => remedy.code === 'units');
    if (!units) throw new Error('no number of units is proposed');
    expect(units.now).toBe(150);
    expect(fitUno(make(units.most), MEMORY).problems).toEqual([]);
    expect(fitUno(make(units.most + 1), MEMORY).problems).not.toEqual([]);

    const features = remedies.find((remedy) => remedy.code === 'features');
    if (!features) throw new Error('no number of features is proposed');
    const shape = shapeOf(make(150));
    const room = MEMORY.modelEnd - MEMORY.modelStart;
    expect(unoSizes(shape, features.most).image).toBeLessThanOrEqual(room);
    expect(unoSizes(shape, features.most + 1).image).toBeGreaterThan(room);

    const without = remedies.find((remedy) => remedy.code === 'without-block');
    if (without) {
      const rest = { raw: [FLATTEN], flatten: [RAW], spectral: [] }[without.kind];
      expect(fitUno(unoModel({ seed: 6, windowMs: 800, blocks: rest, hidden: 150 }), MEMORY).problems).toEqual([]);
    }
  });

  it('too long a window for the RAM: says which would fit, and it does', () => {
    const make = (windowMs: number) => unoModel({ seed: 7, windowMs, blocks: [FLATTEN], hidden: 8 });
    const { problems, remedies } = fitUno(make(3000), MEMORY);
    expect(problems.map(({ code }) => code)).toContain('ram');
    const window = remedies.find((remedy) => remedy.code === 'window');
    if (!window) throw new Error('no window is proposed');
    expect(fitUno(make(window.longestMs), MEMORY).problems).toEqual([]);
    expect(fitUno(make(window.longestMs + 1000 / 50), MEMORY).problems).not.toEqual([]);
    // Neither fewer units nor fewer features free enough.
    expect(remedies.map(({ code }) => code)).toEqual(['window']);
  });

  it('too long an FFT: proposes a shorter one', () => {
    const spectral = (fftLength: 32 | 64 | 128) => ({ ...SPECTRAL, params: { ...SPECTRAL.params, fftLength } });
    const make = (fftLength: 32 | 64 | 128) =>
      unoModel({ seed: 8, windowMs: 1000, blocks: [spectral(fftLength)], hidden: 4 });
    const fft = fitUno(make(128), MEMORY).remedies.find((remedy) => remedy.code === 'fft');
    if (!fft) throw new Error('no FFT is proposed');
    expect(fft.now).toBe(128);
    expect(fitUno(make(fft.points as 32 | 64), MEMORY).problems).toEqual([]);
  });

  it('other trouble is told without proposals about room', () => {
    const fit = fitUno(unoModel({ seed: 9, windowMs: 3000, blocks: [FLATTEN], hidden: 8 }), { ...MEMORY, channels: 2 });
    expect(fit.problems.map(({ code }) => code)).toEqual(['channels', 'ram']);
    expect(fit.remedies).toEqual([]);
  });
});
