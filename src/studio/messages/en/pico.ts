export const pico = {
  title: 'Raspberry Pi Pico with {model} inside',
  lead: 'Mote’s firmware and this model in one file, for the Pico and other RP2040 boards with 2 MB of flash or more. Later models go over USB from here, without dragging.',
  tried:
    'Tried on an emulator of the chip (rp2040js), over its UART and its USB port; not yet on a real board. Not for the Pico 2.',
  how: 'Hold BOOTSEL while you plug the board in: a drive named RPI-RP2 appears.',
  need: 'RAM {need:bytes} of {have:bytes}, flash {pack:bytes} of {room:bytes}',
  fits: 'It fits.',
  fitsNot: 'It does not fit.',
  tooMuchRam:
    'The model needs {bytes:bytes} more RAM than this board gives it. A shorter window or fewer channels helps most.',
  tooMuchFlash: 'The model is {bytes:bytes} too long for a slot. A smaller network helps most.',
  otherChannels: {
    one: 'The model wants 1 channel. This firmware has 3 (an analog accelerometer) or 6 (a motion sensor on I2C).',
    other:
      'The model wants {count:int} channels. This firmware has 3 (an analog accelerometer) or 6 (a motion sensor on I2C).',
  },
  analog: 'Wire an analog accelerometer such as the ADXL335 to GP26, GP27 and GP28.',
  motion: 'Wire an MPU-6050 or an LSM6DS3 or LSM6DSO to GP4 (SDA) and GP5 (SCL).',
  renamedChannels:
    'The model was learned on other channels than this firmware has: it runs, but on something it never saw.',
  otherRate: 'The model was learned at {rate:hz}; the Pico samples at 50, 100 or 200 Hz.',
  button: 'Raspberry Pi Pico .uf2 (drag onto the RPI-RP2 drive)',
  buttonPlain: '.uf2 without a model',
  made: '{file} is in your downloads. Drag it onto the RPI-RP2 drive; the drive goes away, and the board is then found at Board.',
  failed: 'The .uf2 could not be made',
  unavailable: 'The Pico’s firmware could not be loaded',
  unavailableText:
    'It comes with the studio and is kept for offline use after the first visit. Reload the page and try again.',
} as const;
