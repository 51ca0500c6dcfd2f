export const arduino = {
  title: 'A sketch of your own',
  lead: 'For any Arduino board and sensor: a library that streams to the studio, takes models over USB and runs them. In the Arduino IDE: Sketch, Include Library, Add .ZIP Library. Its examples go from printing numbers to everything.',
  fits: 'With models it needs about 90 KB of flash: a Mega, ESP32, RP2040, Nano 33 or Zero, not an Uno or Leonardo. Those print numbers, or run one fixed model.h.',
  download: 'Arduino library',
  made: '{file}, {size:bytes}',
  failed: 'The library could not be made',
  board: 'Any other Arduino',
} as const;
