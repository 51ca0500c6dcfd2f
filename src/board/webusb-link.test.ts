/** The real web-serial-polyfill over a fake USBDevice: its known faults must not reach the link. */
import { describe, expect, it } from 'vitest';
import { createFakeTime } from '../../tests/fixtures/fake-time';
import { LinkError } from './link';
import { rememberedSerialLinks, requestSerialLink, serialBacking } from './serial-links';
import type { SerialEnvironment } from './serial-links';
import type { UsbDeviceLike, UsbLike } from './webusb-link';

type Reply = { readonly status: 'ok' | 'stall' | 'babble'; readonly data?: DataView };

/** A CDC-ACM device. Transfers in wait until the test answers them. */
class FakeDevice implements UsbDeviceLike {
  readonly vendorId = 0x2341;
  readonly productId = 0x8054;
  opened = false;
  configuration: object | null = null;
  readonly configurations: object[];
  readonly claimed: number[] = [];
  readonly control: { request: number; value: number }[] = [];
  readonly sent: number[] = [];
  readonly halts: number[] = [];
  claimError: DOMException | null = null;
  outError: DOMException | null = null;
  private readonly waiting: { readonly resolve: (r: Reply) => void; readonly reject: (e: Error) => void }[] = [];
  private readonly ready: Reply[] = [];
  private gone = false;

  constructor(classes: readonly number[] = [2, 10]) {
    this.configurations = [
      {
        interfaces: classes.map((interfaceClass, interfaceNumber) => ({
          interfaceNumber,
          alternates: [
            {
              interfaceClass,
              endpoints:
                interfaceClass === 10
                  ? [
                      { endpointNumber: 1, direction: 'in', packetSize: 64 },
                      { endpointNumber: 2, direction: 'out', packetSize: 64 },
                    ]
                  : [],
            },
          ],
        })),
      },
    ];
  }
  open(): Promise<void> {
    this.opened = true;
    return Promise.resolve();
  }
  close(): Promise<void> {
    this.opened = false;
    for (const { reject } of this.waiting.splice(0))
      reject(new DOMException('The transfer was cancelled.', 'AbortError'));
    return Promise.resolve();
  }
  selectConfiguration(): Promise<void> {
    this.configuration = this.configurations[0] ?? null;
    return Promise.resolve();
  }
  claimInterface(number: number): Promise<void> {
    if (this.claimError) return Promise.reject(this.claimError);
    this.claimed.push(number);
    return Promise.resolve();
  }
  controlTransferOut(setup: { request: number; value: number }): Promise<{ status: string }> {
    if (this.gone) return Promise.reject(new DOMException('The device was disconnected.', 'NotFoundError'));
    this.control.push(setup);
    return Promise.resolve({ status: 'ok' });
  }
  transferIn(_endpoint: number, length: number): Promise<Reply> {
    expect(length).toBeGreaterThan(255);
    const next = this.ready.shift();
    if (next) return Promise.resolve(next);
    return new Promise((resolve, reject) => this.waiting.push({ resolve, reject }));
  }
  transferOut(_endpoint: number, data: Uint8Array): Promise<{ status: string }> {
    if (this.outError) return Promise.reject(this.outError);
    this.sent.push(...data);
    return Promise.resolve({ status: 'ok' });
  }
  clearHalt(_direction: 'in' | 'out', endpoint: number): Promise<void> {
    this.halts.push(endpoint);
    return Promise.resolve();
  }
  forget(): Promise<void> {
    return Promise.resolve();
  }
  reply(status: Reply['status'], ...bytes: number[]): void {
    const reply: Reply = { status, data: new DataView(Uint8Array.from(bytes).buffer) };
    const first = this.waiting.shift();
    if (first) first.resolve(reply);
    else this.ready.push(reply);
  }
  pull(): void {
    this.gone = true;
    this.opened = false;
    const error = new DOMException('The device was disconnected.', 'NotFoundError');
    for (const { reject } of this.waiting.splice(0)) reject(error);
  }
}

class FakeUsb implements UsbLike {
  readonly devices: FakeDevice[] = [];
  readonly requested: unknown[] = [];
  private readonly listeners = { connect: new Set<(e: Event) => void>(), disconnect: new Set<(e: Event) => void>() };
  getDevices(): Promise<FakeDevice[]> {
    return Promise.resolve([...this.devices]);
  }
  requestDevice(options: unknown): Promise<FakeDevice> {
    this.requested.push(options);
    const [first] = this.devices;
    return first ? Promise.resolve(first) : Promise.reject(new DOMException('No device selected.', 'NotFoundError'));
  }
  addEventListener(type: 'connect' | 'disconnect', listener: (e: Event) => void): void {
    this.listeners[type].add(listener);
  }
  removeEventListener(type: 'connect' | 'disconnect', listener: (e: Event) => void): void {
    this.listeners[type].delete(listener);
  }
  plug(device: FakeDevice): FakeDevice {
    this.devices.push(device);
    this.fire('connect', device);
    return device;
  }
  unplug(device: FakeDevice): void {
    this.devices.splice(this.devices.indexOf(device), 1);
    device.pull();
    this.fire('disconnect', device);
  }
  private fire(type: 'connect' | 'disconnect', device: FakeDevice): void {
    for (const listener of this.listeners[type]) listener(Object.assign(new Event(type), { device }));
  }
}

function bench(device = new FakeDevice()) {
  const time = createFakeTime();
  const usb = new FakeUsb();
  usb.devices.push(device);
  const environment: SerialEnvironment = { ...time, usb };
  return { time, usb, device, environment };
}

async function opened(device = new FakeDevice()) {
  const b = bench(device);
  const link = await requestSerialLink(b.environment, { filters: [{ usbVendorId: 0x2341 }] });
  const bytes: number[] = [];
  const lost: LinkError[] = [];
  const open = (): Promise<void> =>
    link.open({ baudRate: 57600 }, { onBytes: (chunk) => bytes.push(...chunk), onLost: (error) => lost.push(error) });
  await open();
  return { ...b, link, bytes, lost, open };
}

describe('a board through WebUSB', () => {
  it('is used where the browser has no serial, or when asked for', () => {
    const { time, usb } = bench();
    const serial = {} as never;
    expect(serialBacking({ ...time, usb })).toBe('webusb');
    expect(serialBacking({ ...time, usb, serial })).toBe('web-serial');
    expect(serialBacking({ ...time, usb, serial, prefer: 'webusb' })).toBe('webusb');
  });

  it('opens, sets the line and carries bytes both ways', async () => {
    const { time, usb, device, link, bytes } = await opened();
    expect(usb.requested).toEqual([{ filters: [{ classCode: 2, vendorId: 0x2341 }] }]);
    expect(link.info).toMatchObject({ kind: 'webusb', title: 'Arduino (2341:8054)' });
    expect(device.claimed).toEqual([0, 1]);
    expect(device.control.map(({ request }) => request)).toEqual([0x20, 0x22]);
    device.reply('ok', 1, 2, 3);
    await link.write(Uint8Array.of(4, 5));
    await time.advance(0);
    expect(bytes).toEqual([1, 2, 3]);
    expect(device.sent).toEqual([4, 5]);
  });

  it('survives empty transfers and stalls', async () => {
    const { time, device, bytes, lost } = await opened();
    for (const byte of [1, 2, 3]) {
      device.reply('ok');
      await time.advance(0);
      device.reply('ok');
      device.reply('stall');
      await time.advance(0);
      device.reply('ok', byte);
      await time.advance(0);
    }
    expect(bytes).toEqual([1, 2, 3]);
    expect(device.halts).toEqual([1, 1, 1]);
    expect(lost).toEqual([]);
  });

  it('reads on after a babble', async () => {
    const { time, device, bytes, lost } = await opened();
    device.reply('babble');
    await time.advance(0);
    device.reply('ok', 8);
    await time.advance(0);
    expect(bytes).toEqual([8]);
    expect(lost).toEqual([]);
  });

  it('is lost, once and by name, when it is pulled; errors that are strings are understood', async () => {
    const { time, usb, device, link, lost } = await opened();
    usb.unplug(device);
    await time.advance(10_000);
    expect(lost.map((error) => error.code)).toEqual(['disconnected']);
    expect(lost[0]).toBeInstanceOf(LinkError);
    await link.close();
  });

  it('is lost when it dies without an event', async () => {
    const { time, device, lost } = await opened();
    device.pull();
    await time.advance(10_000);
    expect(lost.map((error) => error.code)).toEqual(['disconnected']);
  });

  it('rejects a write that the device refuses with an error that names the cause', async () => {
    const { device, link } = await opened();
    device.outError = new DOMException('A transfer error has occurred.', 'NetworkError');
    await expect(link.write(Uint8Array.of(1))).rejects.toMatchObject({ name: 'LinkError', code: 'disconnected' });
  });

  it('comes back as the same link when it is plugged in again', async () => {
    const { time, usb, device, environment, link, bytes, open } = await opened();
    let returns = 0;
    link.onReturn?.(() => returns++);
    usb.unplug(device);
    await time.advance(10_000);
    const again = usb.plug(new FakeDevice());
    await time.advance(0);
    expect(returns).toBe(1);
    expect(await rememberedSerialLinks(environment)).toEqual([link]);
    await open();
    again.reply('ok', 6);
    await time.advance(0);
    expect(bytes).toEqual([6]);
  });

  it('closes while a read is pending, and opens again', async () => {
    const { time, device, link, bytes, open } = await opened();
    await time.until(link.close());
    expect(device.opened).toBe(false);
    await open();
    device.reply('ok', 5);
    await time.advance(0);
    expect(bytes).toEqual([5]);
  });

  it('says that a driver has it when it cannot be claimed', async () => {
    const device = new FakeDevice();
    device.claimError = new DOMException('Unable to claim interface.', 'NetworkError');
    const { environment } = bench(device);
    const link = await requestSerialLink(environment);
    const events = { onBytes: () => undefined, onLost: () => undefined };
    await expect(link.open({ baudRate: 9600 }, events)).rejects.toMatchObject({ code: 'busy' });
  });

  it('passes over devices without a serial interface', async () => {
    const { environment } = bench(new FakeDevice([3]));
    expect(await rememberedSerialLinks(environment)).toEqual([]);
    await expect(requestSerialLink(environment)).rejects.toBeInstanceOf(LinkError);
  });
});
