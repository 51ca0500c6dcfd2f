/** Names of the makers whose boards people plug in; ids as assigned by usb.org. */
const MAKERS: Readonly<Record<number, string>> = {
  0x0403: 'FTDI',
  0x0483: 'STMicroelectronics',
  0x067b: 'Prolific',
  0x0d28: 'micro:bit',
  0x10c4: 'Silicon Labs',
  0x16c0: 'Teensy',
  0x1a86: 'WCH',
  0x1fc9: 'NXP',
  0x2341: 'Arduino',
  0x239a: 'Adafruit',
  0x2886: 'Seeed',
  0x2a03: 'Arduino',
  0x2e8a: 'Raspberry Pi',
  0x303a: 'Espressif',
  0x1366: 'SEGGER',
};

/** "Arduino (2341:0043)", or "Serial port" for ports that are no USB devices. */
export function usbTitle(vendorId: number | null, productId: number | null): string {
  if (vendorId === null) return 'Serial port';
  const hex = (n: number): string => n.toString(16).padStart(4, '0');
  const ids = productId === null ? hex(vendorId) : `${hex(vendorId)}:${hex(productId)}`;
  return `${MAKERS[vendorId] ?? 'USB device'} (${ids})`;
}

/** Makers by USB vendor id, sorted by id: whom permissions of administrators and Linux rules must name. */
export const USB_MAKERS: readonly { readonly id: number; readonly name: string }[] = Object.entries(MAKERS).map(
  ([id, name]) => ({ id: Number(id), name }),
);
