import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createSession } from '../../src/board/session';
import { root } from './native-program';
import { FLASH_BYTES, Pico, writeUf2 } from './rp2040-board';

const firmware = new Uint8Array(readFileSync(join(root, 'public/firmware/rp2040.uf2')));

function fresh(): Uint8Array {
  const flash = new Uint8Array(FLASH_BYTES).fill(0xff);
  writeUf2(flash, firmware);
  return flash;
}

describe('Raspberry Pi Pico', () => {
  it.each(['uart', 'usb'] as const)('introduces itself and streams over %s', async (way) => {
    const pico = new Pico(fresh());
    pico.chip.adc.channelValues = [2048 + 137, 2048 - 137, 2048, 0, 0];
    const link = way === 'uart' ? pico.uartLink() : pico.usbLink();
    pico.run(50);
    console.log('after boot', pico.nowMs, pico.complaints, pico.chip.core.PC.toString(16));
    const session = createSession(link, pico.timing);
    const t0 = Date.now();
    const identity = await pico.until(session.connect());
    console.log(identity, Date.now() - t0, pico.nowMs, pico.complaints);
    const got: number[] = [];
    session.on('samples', (b) => got.push(...b.samples));
    await pico.until(session.startStream());
    await pico.until(new Promise<void>((resolve) => pico.timing.timers.after(300, resolve)));
    console.log(got.length, got.slice(0, 6), Date.now() - t0, pico.nowMs);
    await pico.until(session.disconnect());
    expect(pico.complaints).toEqual([]);
  });
});
