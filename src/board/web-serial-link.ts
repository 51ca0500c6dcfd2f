/** Native Web Serial as a port backend. `navigator.serial` is passed in. */
import type { PortBackend } from './port-catalog';
import type { SerialPortLike } from './serial-port-link';

/** The part of `navigator.serial` that is used. */
export interface SerialLike {
  getPorts(): Promise<SerialPortLike[]>;
  requestPort(options: { filters: { usbVendorId: number; usbProductId?: number }[] }): Promise<SerialPortLike>;
  addEventListener(type: 'connect' | 'disconnect', listener: (event: Event) => void): void;
  removeEventListener(type: 'connect' | 'disconnect', listener: (event: Event) => void): void;
}

export function createWebSerialBackend(serial: SerialLike): PortBackend {
  // The events are fired at the port and bubble up to `navigator.serial`: the port is the target.
  const portOf = (event: Event): SerialPortLike | null => event.target as SerialPortLike | null;
  return {
    kind: 'web-serial',
    request: (filters) => serial.requestPort({ filters: filters.map((filter) => ({ ...filter })) }),
    ports: () => serial.getPorts(),
    onPlugged(listener) {
      const onConnect = (event: Event): void => listener(portOf(event));
      serial.addEventListener('connect', onConnect);
      return () => serial.removeEventListener('connect', onConnect);
    },
    onUnplugged(listener) {
      const onDisconnect = (event: Event): void => {
        const port = portOf(event);
        if (port) listener(port);
      };
      serial.addEventListener('disconnect', onDisconnect);
      return () => serial.removeEventListener('disconnect', onDisconnect);
    },
  };
}
