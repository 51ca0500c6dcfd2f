/**
 * A hand that moves a six-axis motion sensor: seeded, endless, the same samples on every machine.
 *
 * The hand has a posture (roll, pitch, yaw) and an acceleration along the board's axes. Both are sums of gestures; each
 * gesture is a few sinusoids of its own phase whose tempo and size change from repetition to repetition. Gravity is
 * turned into the board's axes by the posture, and the gyroscope is the rate of the same posture, so the six axes agree
 * with each other as they do on a real board. Physiological tremor (8 to 12 Hz) and white sensor noise come on top.
 *
 * Only additions, multiplications, divisions, square roots and our own sine are used: no engine differs in a bit.
 */
import { PRISTINE, type Channel, type LoadedRecording } from './recording';
import { Random } from './random';
import { cosineOfTurns, sineOfTurns } from './sine';

/** Standard gravity, m/s2. A board lying flat and still measures +g on its Z axis. */
const GRAVITY = 9.80665;
/** Seconds in which one gesture fades into the next. */
const TRANSITION_SECONDS = 0.4;
/** Seconds in which tempo and size follow the draw made at each repetition. */
const FOLLOW_SECONDS = 0.12;
/** Tremor of a resting hand, m/s2 RMS. */
const TREMOR = 0.06;
/** Tremor of the posture, degrees RMS. */
const TREMOR_ANGLE = 0.03;
/** A cheap gyroscope is about as noisy in deg/s as its accelerometer is in 1/8 m/s2. */
const GYRO_NOISE_PER_ACC_NOISE = 8;

const CHANNELS: readonly Channel[] = [
  { name: 'accX', unit: 'm/s2' },
  { name: 'accY', unit: 'm/s2' },
  { name: 'accZ', unit: 'm/s2' },
  { name: 'gyrX', unit: 'deg/s' },
  { name: 'gyrY', unit: 'deg/s' },
  { name: 'gyrZ', unit: 'deg/s' },
];

/** What a gesture adds: acceleration in m/s2 along x, y, z and posture in degrees (roll, pitch, yaw). */
type Motion = [ax: number, ay: number, az: number, roll: number, pitch: number, yaw: number];

interface GestureShape {
  /** Repetitions per second. */
  readonly tempo: number;
  /** Relative spread of tempo and size from one repetition to the next. */
  readonly spread: number;
  /** Adds the motion at `phase` (turns), for size `size` (1 = usual) and `tempo` in Hz, into `into`. */
  readonly add: (into: Motion, phase: number, size: number, tempo: number) => void;
}

/** Peak acceleration of a sinusoidal movement of `metres` amplitude: amplitude * (2 pi f)^2. */
function peak(metres: number, tempo: number): number {
  const omega = 2 * Math.PI * tempo;
  return metres * omega * omega;
}

/** A gesture by name. `idle` adds nothing: posture, tremor and noise are always there. */
const SHAPES = {
  idle: { tempo: 0.3, spread: 0.2, add: () => undefined },
  wave: {
    tempo: 1.4,
    spread: 0.1,
    // The forearm swings like a wiper: sideways, tilting the board with it.
    add: (into, phase, size, tempo) => {
      const swing = sineOfTurns(phase);
      into[0] -= peak(0.09 * size, tempo) * swing;
      into[2] -= peak(0.012 * size, tempo) * cosineOfTurns(2 * phase);
      into[4] += 22 * size * swing;
      into[5] += 8 * size * sineOfTurns(phase + 0.04);
    },
  },
  circle: {
    tempo: 1.1,
    spread: 0.1,
    // A circle in the board's own plane, the wrist leaning into it.
    add: (into, phase, size, tempo) => {
      const radius = peak(0.11 * size, tempo);
      into[0] -= radius * cosineOfTurns(phase);
      into[1] -= radius * 0.92 * sineOfTurns(phase);
      into[3] -= 9 * size * sineOfTurns(phase - 0.05);
      into[4] += 9 * size * cosineOfTurns(phase - 0.05);
    },
  },
  updown: {
    tempo: 1.2,
    spread: 0.12,
    // Lifting is slower than dropping: a second harmonic.
    add: (into, phase, size, tempo) => {
      const height = peak(0.11 * size, tempo);
      into[2] -= height * (sineOfTurns(phase) + 0.22 * sineOfTurns(2 * phase + 0.1));
      into[1] -= height * 0.1 * sineOfTurns(phase + 0.1);
      into[3] += 6 * size * sineOfTurns(phase + 0.06);
    },
  },
  shake: {
    tempo: 4.6,
    spread: 0.14,
    // A quick rattle mostly along y, the wrist turning.
    add: (into, phase, size, tempo) => {
      const rattle = peak(0.02 * size, tempo);
      into[1] -= rattle * (sineOfTurns(phase) + 0.25 * sineOfTurns(3 * phase + 0.15));
      into[0] -= rattle * 0.35 * sineOfTurns(phase + 0.11);
      into[2] -= rattle * 0.2 * sineOfTurns(2 * phase);
      into[3] += 7 * size * sineOfTurns(phase + 0.03);
      into[5] += 5 * size * sineOfTurns(phase + 0.2);
    },
  },
} satisfies Record<string, GestureShape>;

export type Gesture = keyof typeof SHAPES;

export interface MotionSettings {
  /** One of `MotionGenerator.gestures`; fades in over 0.4 s, or is there from the start if set before the first sample. */
  readonly gesture?: string;
  /** White noise of the accelerometer in m/s2 RMS, 0..20 (default 0.08); the gyroscope's follows it. */
  readonly noise?: number;
  /** Whether the accelerometer feels gravity (default true). */
  readonly gravity?: boolean;
  /** Size of the gestures, 0..3; 1 is usual. */
  readonly amplitude?: number;
}

/** A gesture under way: where in its repetition it is, how fast and how large this repetition is. */
interface Player {
  readonly shape: GestureShape;
  phase: number;
  tempo: number;
  size: number;
  wantedTempo: number;
  wantedSize: number;
  /** 0..1, moves to 1 while this is the gesture asked for, else to 0. */
  presence: number;
}

/** A slow or trembling signal: three sinusoids of unrelated frequency, RMS 1. */
class Wander {
  private readonly parts: { readonly step: number; phase: number }[];

  constructor(random: Random, lowHz: number, highHz: number, rateHz: number) {
    this.parts = [0, 1, 2].map(() => ({ step: random.between(lowHz, highHz) / rateHz, phase: random.next() }));
  }

  next(): number {
    let sum = 0;
    for (const part of this.parts) {
      sum += sineOfTurns(part.phase);
      part.phase += part.step;
      part.phase -= Math.floor(part.phase);
    }
    return sum * Math.sqrt(2 / 3);
  }
}

export class MotionGenerator {
  static readonly gestures: readonly Gesture[] = Object.keys(SHAPES) as Gesture[];

  readonly channels: readonly Channel[] = CHANNELS;
  readonly rateHz: number;

  private readonly seconds: number;
  private readonly random: Random;
  private readonly noiseRandom: Random;
  private readonly players: Map<Gesture, Player>;
  private readonly restingPosture: readonly number[];
  private readonly posture: readonly Wander[];
  private readonly tremor: readonly Wander[];
  private readonly tremorAngle: readonly Wander[];
  private gesture: Gesture = 'idle';
  private noise = 0.08;
  private gravity = true;
  private amplitude = 1;
  private before: readonly number[] | null = null;

  /**
   * @param options.seed Whole number; equal seeds give equal motion.
   * @param options.rateHz Samples per second, 1..10000.
   */
  constructor({ seed, rateHz }: { readonly seed: number; readonly rateHz: number }) {
    if (!(rateHz >= 1 && rateHz <= 10_000)) throw new RangeError(`A rate of ${rateHz} Hz: 1 to 10000.`);
    this.rateHz = rateHz;
    this.seconds = 1 / rateHz;
    this.random = new Random(seed);
    this.noiseRandom = this.random.fork();
    const random = this.random;
    this.restingPosture = [random.normal() * 6, random.normal() * 6, random.between(-180, 180)];
    const three = (low: number, high: number) => [0, 1, 2].map(() => new Wander(random, low, high, rateHz));
    this.posture = three(0.03, 0.25);
    this.tremor = three(8, 12);
    this.tremorAngle = three(7, 11);
    this.players = new Map(
      MotionGenerator.gestures.map((name) => {
        const shape: GestureShape = SHAPES[name];
        const player: Player = {
          shape,
          phase: random.next(),
          tempo: shape.tempo,
          size: 1,
          wantedTempo: shape.tempo,
          wantedSize: 1,
          presence: name === this.gesture ? 1 : 0,
        };
        this.drawRepetition(player);
        player.tempo = player.wantedTempo;
        player.size = player.wantedSize;
        return [name, player];
      }),
    );
  }

  /** Changes what is asked for; what is left out stays. Throws RangeError for unknown gestures and unfit numbers. */
  set({ gesture, noise, gravity, amplitude }: MotionSettings): void {
    if (noise !== undefined) this.noise = checkRange('noise', noise, 20);
    if (amplitude !== undefined) this.amplitude = checkRange('amplitude', amplitude, 3);
    if (gravity !== undefined) this.gravity = gravity;
    if (gesture !== undefined) {
      const known = MotionGenerator.gestures.find((name) => name === gesture);
      if (!known) {
        throw new RangeError(`There is no gesture “${gesture}”; there are ${MotionGenerator.gestures.join(', ')}.`);
      }
      this.gesture = known;
      if (this.before === null) for (const [name, player] of this.players) player.presence = name === known ? 1 : 0;
    }
  }

  /** Writes the next frame into `out[0..5]`: accX accY accZ in m/s2, gyrX gyrY gyrZ in deg/s. */
  next(out: Float32Array): void {
    const motion: Motion = [0, 0, 0, 0, 0, 0];
    for (const [name, player] of this.players) this.play(name, player, motion);
    for (let axis = 0; axis < 3; axis++) {
      motion[axis]! += TREMOR * this.tremor[axis]!.next();
      motion[axis + 3]! +=
        this.restingPosture[axis]! + 1.5 * this.posture[axis]!.next() + TREMOR_ANGLE * this.tremorAngle[axis]!.next();
    }
    const [ax, ay, az, roll, pitch, yaw] = motion;
    const sinRoll = sineOfTurns(roll / 360);
    const cosRoll = cosineOfTurns(roll / 360);
    const sinPitch = sineOfTurns(pitch / 360);
    const cosPitch = cosineOfTurns(pitch / 360);
    const g = this.gravity ? GRAVITY : 0;
    const before = this.before ?? [roll, pitch, yaw];
    const rollRate = (roll - before[0]!) * this.rateHz;
    const pitchRate = (pitch - before[1]!) * this.rateHz;
    const yawRate = (yaw - before[2]!) * this.rateHz;
    this.before = [roll, pitch, yaw];
    out[0] = ax - g * sinPitch + this.whiteNoise();
    out[1] = ay + g * cosPitch * sinRoll + this.whiteNoise();
    out[2] = az + g * cosPitch * cosRoll + this.whiteNoise();
    // Rates of the Euler angles (z-y-x) turned into rates about the board's axes.
    out[3] = rollRate - yawRate * sinPitch + GYRO_NOISE_PER_ACC_NOISE * this.whiteNoise();
    out[4] = pitchRate * cosRoll + yawRate * cosPitch * sinRoll + GYRO_NOISE_PER_ACC_NOISE * this.whiteNoise();
    out[5] = yawRate * cosPitch * cosRoll - pitchRate * sinRoll + GYRO_NOISE_PER_ACC_NOISE * this.whiteNoise();
  }

  private whiteNoise(): number {
    return this.noise * this.noiseRandom.normal();
  }

  private play(name: Gesture, player: Player, motion: Motion): void {
    const step = this.seconds / TRANSITION_SECONDS;
    player.presence = Math.min(1, Math.max(0, player.presence + (name === this.gesture ? step : -step)));
    player.phase += player.tempo * this.seconds;
    if (player.phase >= 1) {
      player.phase -= Math.floor(player.phase);
      this.drawRepetition(player);
    }
    const follow = Math.min(1, this.seconds / FOLLOW_SECONDS);
    player.tempo += (player.wantedTempo - player.tempo) * follow;
    player.size += (player.wantedSize - player.size) * follow;
    if (player.presence === 0) return;
    const smooth = player.presence * player.presence * (3 - 2 * player.presence);
    player.shape.add(motion, player.phase, player.size * smooth * this.amplitude, player.tempo);
  }

  private drawRepetition(player: Player): void {
    const { tempo, spread } = player.shape;
    player.wantedTempo = tempo * Math.max(0.5, 1 + spread * this.random.normal());
    player.wantedSize = Math.max(0.4, 1 + 1.5 * spread * this.random.normal());
  }
}

function checkRange(name: string, value: number, most: number): number {
  if (!(value >= 0 && value <= most)) throw new RangeError(`${name} ${value}: 0 to ${most}.`);
  return value;
}

export interface GeneratedRecordingOptions {
  readonly gesture: string;
  /** Length, more than 0, at most 3600 s. */
  readonly seconds: number;
  readonly rateHz: number;
  readonly seed: number;
  readonly noise?: number;
  readonly gravity?: boolean;
  readonly amplitude?: number;
}

/** A recording of one gesture, labelled with its name. Its id, name and samples follow from the options alone. */
export function generateRecording(options: GeneratedRecordingOptions): LoadedRecording {
  const { gesture, seconds, rateHz, seed, ...settings } = options;
  if (!(seconds > 0 && seconds <= 3600))
    throw new RangeError(`A recording of ${seconds} s: more than 0, at most 3600.`);
  const generator = new MotionGenerator({ seed, rateHz });
  generator.set({ gesture, ...settings });
  const frames = Math.max(1, Math.round(seconds * rateHz));
  const width = CHANNELS.length;
  const samples = new Float32Array(frames * width);
  for (let frame = 0; frame < frames; frame++) generator.next(samples.subarray(frame * width, (frame + 1) * width));
  const id = `generated-${gesture}-${seed}-${rateHz}-${frames}`;
  return {
    recording: {
      id,
      name: `${gesture}.${seed}`,
      createdAt: 0,
      sessionId: `generated-${seed}`,
      channels: CHANNELS,
      rateHz,
      measuredRateHz: null,
      frames,
      label: gesture,
      segments: [],
      split: 'auto',
      source: { kind: 'generated', generator: 'motion', seed },
      quality: PRISTINE,
    },
    samples,
  };
}
