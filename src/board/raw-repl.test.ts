import { describe, expect, it } from 'vitest';
import { createFakeTime } from '../../tests/fixtures/fake-time';
import { createRawRepl, RUN_TIMEOUT_MS } from './raw-repl';

const latin = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

/** A REPL that follows a script: what it says when what was sent so far ends with a text. */
function scripted(answers: readonly (readonly [endsWith: string, say: string])[]) {
  const time = createFakeTime();
  let sent = '';
  const left = [...answers];
  const repl = createRawRepl(time, (bytes) => {
    sent += String.fromCharCode(...bytes);
    const next = left[0];
    if (next && sent.endsWith(next[0])) {
      left.shift();
      repl.push(latin(next[1]));
    }
    return Promise.resolve();
  });
  return { time, repl, sent: () => sent };
}

const ENTER = ['\r\x01', 'raw REPL; CTRL-B to exit\r\n>'] as const;
const PASTE = ['\x05A\x01', 'R\x01\x08\x00\x01'] as const;
const READY = ['pass\x04', '\x04\x04\x04>'] as const;

describe('raw REPL', () => {
  it('waits for room: never more than the window without a grant', async () => {
    const { time, repl, sent } = scripted([
      ENTER,
      PASTE,
      READY,
      PASTE,
      // Window 8, of which the first grant doubles the room; then silence.
      ['0123456789abcdef', ''],
    ]);
    const running = repl.exec('0123456789abcdefGHIJ');
    running.catch(() => undefined);
    await time.advance(3000);
    expect(sent().endsWith('0123456789abcdef')).toBe(true);
    repl.push(latin('\x01'));
    await time.advance(10);
    expect(sent().endsWith('GHIJ\x04')).toBe(true);
    repl.push(latin('\x04done\x04\x04>'));
    expect(await time.until(running)).toBe('done');
  });

  it('falls back on firmware that never heard of raw paste, in small pieces', async () => {
    const { time, repl, sent } = scripted([
      ENTER,
      ['\x05A\x01', 'raw REPL; CTRL-B to exit\r\n>'],
      ['pass\x04', 'OK\x04\x04>'],
      ['print(1)\x04', 'OK1\r\n\x04\x04>'],
    ]);
    expect(await time.until(repl.exec('print(1)'))).toBe('1\r\n');
    expect(repl.paste).toBe(false);
    expect(sent().split('\x05A\x01')).toHaveLength(2);
  });

  it('gives up on a board that is not MicroPython', async () => {
    const { time, repl } = scripted([]);
    await expect(time.until(repl.exec('1'))).rejects.toMatchObject({ code: 'no-repl' });
  });

  it('names a program that hangs, interrupts it, and enters anew', async () => {
    const { time, repl, sent } = scripted([ENTER, PASTE, READY, PASTE, ['loop\x04', '\x04']]);
    const running = repl.exec('loop');
    running.catch(() => undefined);
    await time.advance(RUN_TIMEOUT_MS + 1000);
    await expect(running).rejects.toMatchObject({ code: 'timeout-run' });
    expect(sent().endsWith('\x03\x03')).toBe(true);
  });

  it('restarts the interpreter without leaving the raw REPL, and goes on when the firmware does not answer', async () => {
    const answered = scripted([
      ENTER,
      PASTE,
      READY,
      ['\x04', 'OK\r\nMPY: soft reboot\r\nboot says > hello\r\nraw REPL; CTRL-B to exit\r\n>'],
      PASTE,
      ['1\x04', '\x04one\x04\x04>'],
    ]);
    await answered.time.until(answered.repl.clear());
    expect(await answered.time.until(answered.repl.exec('1'))).toBe('one');
    const silent = scripted([
      ENTER,
      PASTE,
      READY,
      ['\x04', ''],
      ENTER,
      PASTE,
      READY,
      PASTE,
      ['1\x04', '\x04one\x04\x04>'],
    ]);
    await silent.time.until(silent.repl.clear());
    expect(await silent.time.until(silent.repl.exec('1'))).toBe('one');
  });

  it('stops at once when it is cancelled or the board is gone', async () => {
    const { time, repl } = scripted([ENTER, PASTE, READY, PASTE, ['loop\x04', '\x04']]);
    const control = new AbortController();
    const running = repl.exec('loop', { signal: control.signal });
    running.catch(() => undefined);
    await time.advance(1000);
    control.abort();
    await expect(running).rejects.toMatchObject({ code: 'cancelled' });
    repl.fail(new Error('pulled'));
    await expect(repl.exec('1')).rejects.toMatchObject({ code: 'disconnected' });
  });
});
