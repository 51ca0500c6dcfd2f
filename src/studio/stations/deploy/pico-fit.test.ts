import { expect, it } from 'vitest';
import { smallModel } from '../../../../tests/fixtures/small-model';
import { writePack } from '../../../emit/pack';
import { picoFit, picoSensor } from './pico-fit';

const layout = {
  flashBytes: 2 ** 21,
  storageAt: 0x17e000,
  storageBytes: 0x82000,
  eraseBytes: 4096,
  progBytes: 256,
  slots: 2,
  modelRamBytes: 131072,
};
const model = smallModel(1);
const bytes = writePack(model).length;

it('takes six axes of motion at a rate it has', () => {
  expect(picoSensor(model)).toBe('motion');
  expect(picoFit(model, bytes, layout)).toMatchObject({ fits: true, channels: 'same', sameRate: true });
});

it('takes three axes from the analog pins', () => {
  const three = { ...model, input: { ...model.input, channels: model.input.channels.slice(0, 3), rateHz: 62.5 } };
  expect(picoSensor(three)).toBe('analog');
  expect(picoFit(three, bytes, layout)).toMatchObject({ fits: true, channels: 'same', sameRate: false });
});

it('says what stands against a model', () => {
  const one = { ...model, input: { ...model.input, channels: model.input.channels.slice(0, 1) } };
  expect(picoFit(one, bytes, layout)).toMatchObject({ fits: false, channels: 'other-count' });
  expect(picoFit(model, bytes, { ...layout, modelRamBytes: 100 })).toMatchObject({ fits: false, ram: { fits: false } });
  expect(picoFit(model, 262144, layout)).toMatchObject({ fits: false, slot: { fits: false, haveBytes: 261888 } });
});
