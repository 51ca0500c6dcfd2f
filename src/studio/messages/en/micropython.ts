/** Writing a model to a MicroPython board: the Deploy station. */
export const micropython = {
  promptTitle: '{board} is at its MicroPython prompt',
  promptText:
    'It runs {port} and prints no readings yet. Write a model with its main.py, or a program of your own that prints numbers.',
  goDeploy: 'To the Deploy station',
  title: 'Write model to {board}',
  lead: 'Writes files over MicroPython’s prompt, reads them back, and lets the board prove that it computes the same bytes. The program on the board is interrupted meanwhile and starts again afterwards.',
  linesLead:
    '{board} prints numbers. If it does so with MicroPython (Pico, ESP32, micro:bit ...), the model can be written to it: its program is interrupted and starts again afterwards.',
  files: 'Files',
  file: '{name}, {size:bytes}',
  writeMain: 'Also write main.py, which streams readings and classifies',
  writeMainHint: 'Edit read_sensor in it for your sensor. The micro:bit’s accelerometer is known.',
  start: 'Write model to this board',
  startLines: 'It runs MicroPython: write the model',
  stepConnecting: 'Asking for the prompt',
  stepWriting: 'Writing {name}: {done:bytes} of {total:bytes}',
  stepVerifying: 'Reading {name} back: {done:bytes} of {total:bytes}',
  stepTesting: 'Self-test on the board: {done:int} of {total:int} windows',
  progress: 'Progress',
  mainTitle: 'The board has a main.py of its own',
  mainText:
    'It is kept as main.bak.py when you replace it, and you can put it back here. Without it, the model is written and your program stays.',
  replaceMain: 'Replace main.py, keep a copy',
  keepMain: 'Keep my main.py',
  doneTitle: '{model} is on {board}',
  doneText: 'All {bytes:bytes} were read back equal in {time:ms}. {port}.',
  backedUp: 'Your main.py was kept as main.bak.py.',
  proved: 'Self-test on the board: {passed:int} of {total:int} windows give the studio’s bytes.',
  notExact:
    'This board’s floats have fewer than 32 bits, so features are close, not equal: {passed:int} of {total:int} windows give the studio’s bytes. The integer network gives them all.',
  failedTest:
    'Only {passed:int} of {total:int} windows give the studio’s bytes. Do not trust this board’s answers; write the model again.',
  fast: 'The inner loops were compiled to machine code.',
  slow: 'This port has no machine code for Python: it classifies slowly.',
  restore: 'Put my main.py back',
  restored: 'main.py is as it was before.',
  cancelled:
    'Cancelled. Files that were not finished were not put in place, except on boards that cannot rename files.',
  failed: 'The model was not written',
  traceback: 'What the board said',
  download: 'MicroPython and OpenMV',
  downloadHint: 'model.py with its self-test, main.py; for OpenMV model.tflite, labels.txt and main.py.',
} as const;
