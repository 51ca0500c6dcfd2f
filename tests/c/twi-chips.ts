/**
 * The motion sensors that the firmware knows, as far as their registers go: what is measured comes out as the settings
 * that were written make it, so that a wrong setting is a wrong number. After the chips' data sheets and, beside them,
 * microbit-dal's drivers (MMA8653.cpp, LSM303Accelerometer.cpp), which read these chips on every micro:bit.
 */

/** A chip on a two-wire bus. */
export interface TwiChip {
  readonly address: number;
  write(register: number, value: number): void;
  read(register: number): number;
  /** The register after this one in the same transfer. */
  next(register: number): number;
}

/** What a chip feels: acceleration in g along its own axes, rotation in degrees per second. */
export interface Motion {
  readonly g: readonly [number, number, number];
  readonly dps?: readonly [number, number, number];
}

const clamp = (value: number, most: number): number => Math.max(-most - 1, Math.min(most, Math.round(value)));

/** A value of so many bits at the top of two bytes. */
const leftAligned = (value: number, bits: number): number =>
  (clamp(value, 2 ** (bits - 1) - 1) << (16 - bits)) & 0xffff;

export interface FakeChip extends TwiChip {
  motion: Motion;
  /** Samples per second that the settings give; 0: it measures nothing. */
  readonly rateHz: number;
}

/** MMA8653FC: ten bits, high byte first, settings only in standby. */
export function mma8653(motion: Motion): FakeChip {
  const [XYZ_DATA_CFG, CTRL_REG1, CTRL_REG2] = [0x0e, 0x2a, 0x2b];
  const held = new Map<number, number>();
  const get = (register: number): number => held.get(register) ?? 0;
  const isActive = (): boolean => (get(CTRL_REG1) & 1) !== 0;
  const chip: FakeChip = {
    address: 0x1d,
    motion,
    get rateHz() {
      return isActive() ? ([800, 400, 200, 100, 50, 12.5, 6.25, 1.56][(get(CTRL_REG1) >> 3) & 7] as number) : 0;
    },
    write(register, value) {
      if (register === CTRL_REG1 && isActive()) {
        // Active: only the way back to standby is open.
        held.set(CTRL_REG1, (get(CTRL_REG1) & ~1) | (value & 1));
      } else if ([XYZ_DATA_CFG, CTRL_REG1, CTRL_REG2].includes(register) && !isActive()) {
        held.set(register, value);
      }
    },
    read(register) {
      if (register === 0x0d) return 0x5a;
      if (register >= 1 && register <= 6) {
        const g = isActive() ? (chip.motion.g[(register - 1) >> 1] as number) : 0;
        const word = leftAligned((g * 512) / (2 << (get(XYZ_DATA_CFG) & 3)), 10);
        return register % 2 === 1 ? word >> 8 : word & 0xff;
      }
      return get(register);
    },
    next: (register) => (register === 6 ? 0 : register + 1),
  };
  return chip;
}

/** The accelerometer of an LSM303AGR: twelve bits when asked for, low byte first. */
export function lsm303agr(motion: Motion): FakeChip {
  const [CTRL_REG1, CTRL_REG4, OUT_X_L] = [0x20, 0x23, 0x28];
  const held = new Map<number, number>([[CTRL_REG1, 0x07]]);
  const get = (register: number): number => held.get(register) ?? 0;
  const chip: FakeChip = {
    address: 0x19,
    motion,
    get rateHz() {
      return [0, 1, 10, 25, 50, 100, 200, 400][get(CTRL_REG1) >> 4] ?? NaN;
    },
    write: (register, value) => void held.set(register & 0x7f, value),
    read(register) {
      const at = register & 0x7f;
      if (at === 0x0f) return 0x33;
      if (at < OUT_X_L || at >= OUT_X_L + 6) return get(at);
      const axis = (at - OUT_X_L) >> 1;
      const isOn = chip.rateHz > 0 && ((get(CTRL_REG1) >> axis) & 1) !== 0;
      const bits = (get(CTRL_REG1) & 8) !== 0 ? 8 : (get(CTRL_REG4) & 8) !== 0 ? 12 : 10;
      const range = 2 << ((get(CTRL_REG4) >> 4) & 3);
      const word = leftAligned(isOn ? ((chip.motion.g[axis] as number) / range) * 2 ** (bits - 1) : 0, bits);
      return at % 2 === 0 ? word & 0xff : word >> 8;
    },
    // The highest bit of the register's number asks for counting up.
    next: (register) => ((register & 0x80) !== 0 ? 0x80 | ((register + 1) & 0x7f) : register),
  };
  return chip;
}

/** LSM6DS3 (0x69), LSM6DS3TR-C (0x6a) or LSM6DSO (0x6c), by its name in WHO_AM_I. */
export function lsm6ds(who: number, motion: Motion, address = 0x6a): FakeChip {
  const [CTRL1_XL, CTRL2_G, CTRL3_C] = [0x10, 0x11, 0x12];
  const held = new Map<number, number>([[CTRL3_C, 0x04]]);
  const get = (register: number): number => held.get(register) ?? 0;
  const rates = [0, 12.5, 26, 52, 104, 208, 416, 833, 1660];
  const chip: FakeChip = {
    address,
    motion,
    get rateHz() {
      return Math.min(rates[get(CTRL1_XL) >> 4] ?? NaN, rates[get(CTRL2_G) >> 4] ?? NaN);
    },
    write: (register, value) => void held.set(register, value),
    read(register) {
      if (register === 0x0f) return who;
      if (register < 0x22 || register > 0x2d) return get(register);
      const isGyroscope = register < 0x28;
      const axis = (register - (isGyroscope ? 0x22 : 0x28)) >> 1;
      let value = 0;
      if (isGyroscope && get(CTRL2_G) >> 4 !== 0) {
        // mdeg/s a step at 245, 500, 1000 and 2000 deg/s.
        const step = [8.75, 17.5, 35, 70][(get(CTRL2_G) >> 2) & 3] as number;
        value = ((chip.motion.dps?.[axis] ?? 0) * 1000) / step;
      } else if (!isGyroscope && get(CTRL1_XL) >> 4 !== 0) {
        // mg a step at 2, 16, 4 and 8 g, in the order of the bits.
        const step = [0.061, 0.488, 0.122, 0.244][(get(CTRL1_XL) >> 2) & 3] as number;
        value = ((chip.motion.g[axis] as number) * 1000) / step;
      }
      const word = clamp(value, 32767) & 0xffff;
      return register % 2 === 0 ? word & 0xff : word >> 8;
    },
    next: (register) => ((get(CTRL3_C) & 4) !== 0 ? register + 1 : register),
  };
  return chip;
}
