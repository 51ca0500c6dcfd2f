export const microbit = {
  title: 'micro:bit with {model} inside',
  lead: 'Mote’s firmware and this model in one file. Drag it onto the MICROBIT drive; later models go over USB from here, without dragging.',
  bareTitle: 'micro:bit firmware',
  bareLead:
    'Mote’s firmware without a model, to record with a micro:bit v1 or v2. Models go over USB from here afterwards, or come inside the .hex.',
  versionOf: 'micro:bit v{version}',
  triedInEmulator: 'Tried on an emulator (QEMU), where it has no accelerometer; not yet on a real board.',
  triedOnChip: 'Tried on an emulated chip with its accelerometer; not yet on a real board.',
  need: 'RAM {need:bytes} of {have:bytes}, flash {pack:bytes} of {room:bytes}',
  fits: 'It fits.',
  fitsNot: 'It does not fit.',
  tooMuchRam:
    'The model needs {bytes:bytes} more RAM than this board gives it. A shorter window or fewer channels helps most.',
  tooMuchFlash: 'The model is {bytes:bytes} too long for a slot. A smaller network helps most.',
  otherChannels: {
    one: 'The model wants 1 channel; the micro:bit has 3: accX, accY, accZ.',
    other: 'The model wants {count} channels; the micro:bit has 3: accX, accY, accZ.',
  },
  renamedChannels:
    'The model was learned on other channels than accX, accY, accZ in m/s²: it runs, but on something it never saw.',
  otherRate: 'The model was learned at {rate:hz}; the micro:bit samples at 50, 100 or 200 Hz.',
  button: 'micro:bit .hex (drag onto the MICROBIT drive)',
  buttonOne: 'micro:bit v{version} .hex (drag onto the MICROBIT drive)',
  forBoth: 'One file for both: each board takes its part.',
  forOne: 'This file is for a v{version} only: on the other version the model does not fit.',
  made: '{file} is in your downloads. Drag it onto the MICROBIT drive, wait until the drive comes back, then connect the board at Board.',
  failed: 'The .hex could not be made',
  unavailable: 'The micro:bit firmware could not be loaded',
  unavailableText:
    'It comes with the studio and is kept for offline use after the first visit. Reload the page and try again.',
} as const;
