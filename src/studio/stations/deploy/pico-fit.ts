/** Whether a model fits the firmware of the Raspberry Pi Pico, before anything is downloaded. Pure. */
import type { Model } from '../../../emit/model';
import { slotCapacity, type SlotLayout } from '../../../emit/slot-image';
import type { Channel } from '../../../signal/recording';
import { fitOf, type Fit } from './fit';

/** As firmware/boards/rp2040 describes them: `analog` on ADC0..2, `motion` from a sensor on I2C. */
export type PicoSensor = 'analog' | 'motion';
const CHANNELS: Readonly<Record<PicoSensor, readonly Channel[]>> = {
  analog: ['accX', 'accY', 'accZ'].map((name) => ({ name, unit: 'm/s2' })),
  motion: ['accX', 'accY', 'accZ', 'gyrX', 'gyrY', 'gyrZ'].map((name, axis) => ({
    name,
    unit: axis < 3 ? 'm/s2' : 'deg/s',
  })),
};
const RATES_HZ = [50, 100, 200];

/** The sensor that this model would have to be wired to. */
export function picoSensor(model: Model): PicoSensor {
  return model.input.channels.length === CHANNELS.motion.length ? 'motion' : 'analog';
}

export function picoFit(model: Model, packBytes: number, layout: SlotLayout): Fit {
  const { rateHz } = model.input;
  const nearest = RATES_HZ.reduce((best, rate) => (Math.abs(rate - rateHz) < Math.abs(best - rateHz) ? rate : best));
  return fitOf(model, packBytes, {
    modelRamBytes: layout.modelRamBytes,
    slots: [{ index: 0, capacityBytes: slotCapacity(layout), state: 'empty', active: false, model: null }],
    channels: CHANNELS[picoSensor(model)],
    rateHz: nearest,
  });
}
