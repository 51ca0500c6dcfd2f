/**
 * WebUSB as a port backend, through web-serial-polyfill (CDC-ACM boards only), for browsers without Web Serial. The
 * polyfill has faults that are mended here: a transfer of zero bytes kills its byte stream, a stall is never cleared,
 * errors are strings, and it tells of no plugging. Driven by tests with a fake USBDevice.
 */
import type { SerialPort as PolyfillPort } from 'web-serial-polyfill';
import type { PortBackend } from './port-catalog';
import type { SerialPortLike } from './serial-port-link';

interface TransferIn {
  readonly status?: 'ok' | 'stall' | 'babble';
  readonly data?: DataView;
}

/** The part of a USBDevice that is used here; the polyfill uses more. */
export interface UsbDeviceLike {
  readonly vendorId: number;
  readonly productId: number;
  readonly opened: boolean;
  transferIn(endpoint: number, length: number): Promise<TransferIn>;
  clearHalt(direction: 'in' | 'out', endpoint: number): Promise<void>;
}

/** The part of `navigator.usb` that is used. */
export interface UsbLike {
  getDevices(): Promise<UsbDeviceLike[]>;
  requestDevice(options: {
    filters: { classCode: number; vendorId?: number; productId?: number }[];
  }): Promise<UsbDeviceLike>;
  addEventListener(type: 'connect' | 'disconnect', listener: (event: Event) => void): void;
  removeEventListener(type: 'connect' | 'disconnect', listener: (event: Event) => void): void;
}

/** USB class of the control interface of a serial port (CDC-ACM). */
const COMMUNICATIONS_CLASS = 2;

export function createWebUsbBackend(usb: UsbLike): PortBackend {
  /** One port per device, so that a port can be recognised. */
  const ports = new WeakMap<UsbDeviceLike, SerialPortLike | null>();

  async function portOf(device: UsbDeviceLike): Promise<SerialPortLike | null> {
    const known = ports.get(device);
    if (known !== undefined) return known;
    const { SerialPort } = await import('web-serial-polyfill');
    const again = ports.get(device);
    if (again !== undefined) return again;
    let port: SerialPortLike | null = null;
    try {
      port = adaptPort(new SerialPort(withoutEmptyTransfers(device)));
    } catch {
      // No serial interface: allowed for something else.
    }
    ports.set(device, port);
    return port;
  }

  const deviceOf = (event: Event): UsbDeviceLike | null =>
    'device' in event ? (event.device as UsbDeviceLike | null) : null;

  return {
    kind: 'webusb',

    async request(filters) {
      const device = await usb.requestDevice({
        filters:
          filters.length === 0
            ? [{ classCode: COMMUNICATIONS_CLASS }]
            : filters.map(({ usbVendorId, usbProductId }) => ({
                classCode: COMMUNICATIONS_CLASS,
                vendorId: usbVendorId,
                ...(usbProductId === undefined ? {} : { productId: usbProductId }),
              })),
      });
      const port = await portOf(device);
      if (!port) throw new DOMException('The chosen device has no serial interface.', 'NotSupportedError');
      return port;
    },

    async ports() {
      const found = await Promise.all((await usb.getDevices()).map(portOf));
      return found.filter((port) => port !== null);
    },

    onPlugged(listener) {
      const onConnect = (event: Event): void => {
        const device = deviceOf(event);
        if (!device) return;
        portOf(device).then(
          (port) => {
            if (port) listener(port);
          },
          () => listener(null),
        );
      };
      usb.addEventListener('connect', onConnect);
      return () => usb.removeEventListener('connect', onConnect);
    },

    onUnplugged(listener) {
      const onDisconnect = (event: Event): void => {
        const device = deviceOf(event);
        const port = device && ports.get(device);
        if (port) listener(port);
      };
      usb.addEventListener('disconnect', onDisconnect);
      return () => usb.removeEventListener('disconnect', onDisconnect);
    },
  };
}

function adaptPort(port: PolyfillPort): SerialPortLike {
  return {
    get readable() {
      return port.readable ?? null;
    },
    get writable() {
      return port.writable ?? null;
    },
    open: (options) => port.open(options),
    close: () => port.close(),
    setSignals: (signals) => port.setSignals(signals),
    getInfo: () => port.getInfo(),
    forget: () => port.forget(),
  };
}

/**
 * The device as the polyfill sees it: a read resolves with at least one byte or rejects with a named error. Boards end
 * a full packet with an empty one, which the polyfill would put into a byte stream that forbids it.
 */
export function withoutEmptyTransfers<D extends UsbDeviceLike>(device: D): D {
  async function transferIn(endpoint: number, length: number): Promise<TransferIn> {
    for (;;) {
      const result = await device.transferIn(endpoint, length);
      switch (result.status) {
        case 'stall':
          await device.clearHalt('in', endpoint);
          continue;
        case 'babble':
          throw new DOMException('The device sent more than was asked for.', 'BufferOverrunError');
        case 'ok':
        case undefined:
          if ((result.data?.byteLength ?? 0) > 0) return result;
          if (!device.opened) throw new DOMException('The device was closed.', 'NetworkError');
      }
    }
  }
  return new Proxy(device, {
    get(target, property) {
      if (property === 'transferIn') return transferIn;
      const value: unknown = Reflect.get(target, property, target);
      // Methods of platform objects insist on the object itself.
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
