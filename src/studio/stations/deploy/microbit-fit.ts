/** Whether a model fits the micro:bit's firmware, before anything is downloaded. Pure. */
import type { Model } from '../../../emit/model';
import { slotCapacity, type SlotLayout } from '../../../emit/slot-image';
import { fitOf, type Fit } from './fit';

/** As firmware/boards/microbit/main.c describes them. */
const CHANNELS = ['accX', 'accY', 'accZ'].map((name) => ({ name, unit: 'm/s2' }));
const RATES_HZ = [50, 100, 200];

export function microbitFit(model: Model, packBytes: number, layout: SlotLayout): Fit {
  const { rateHz } = model.input;
  const nearest = RATES_HZ.reduce((best, rate) => (Math.abs(rate - rateHz) < Math.abs(best - rateHz) ? rate : best));
  return fitOf(model, packBytes, {
    modelRamBytes: layout.modelRamBytes,
    slots: [{ index: 0, capacityBytes: slotCapacity(layout), state: 'empty', active: false, model: null }],
    channels: CHANNELS,
    rateHz: nearest,
  });
}
