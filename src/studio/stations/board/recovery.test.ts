/** Every trouble with a board has a title, a reason, something to do and a button: a table of all codes. */
import { describe, expect, it } from 'vitest';
import { BoardError, type BoardErrorCode } from '../../../board/board';
import { LinkError, type LinkErrorCode } from '../../../board/link';
import { toBoardError } from '../../../board/link-failure';
import { troubleOf } from '../deploy/trouble';
import { recoveryOf, type WayOut } from './recovery';

/** The compiler sees to it that no code is missing here. The way out is the one that must not be absent. */
const BOARD: Readonly<Record<BoardErrorCode, WayOut>> = {
  'timeout-hello': 'find-baud',
  'timeout-command': 'retry',
  'timeout-stream': 'retry',
  silent: 'find-baud',
  garbage: 'find-baud',
  'wrong-baud': 'find-baud',
  'bootloader-silent': 'retry',
  'wrong-board': 'deploy',
  'board-reset': 'retry',
  'taken-over': 'take-over',
  disconnected: 'choose',
  'link-failed': 'why',
  refused: 'retry',
  'not-supported': 'virtual',
  'firmware-too-old': 'retry',
  'model-too-big': 'features',
  'model-rejected': 'deploy',
  'verify-mismatch': 'deploy',
  'self-test-failed': 'deploy',
  'slot-corrupt': 'deploy',
  'no-model': 'deploy',
  busy: 'retry',
  cancelled: 'retry',
};

const LINK: Readonly<Record<LinkErrorCode, WayOut>> = {
  'chooser-cancelled': 'choose',
  'no-port': 'why',
  'not-supported': 'virtual',
  'permission-blocked': 'why',
  busy: 'retry',
  'busy-tab': 'take-over',
  'taken-over': 'take-over',
  'open-failed': 'retry',
  disconnected: 'choose',
  'write-timeout': 'retry',
  framing: 'find-baud',
  closed: 'retry',
};

describe('trouble with a board', () => {
  for (const [code, way] of Object.entries(BOARD) as [BoardErrorCode, WayOut][])
    it(`${code}: title, message, action, and advice at Deploy`, () => {
      const error = new BoardError(code, 'What happened.');
      const { title, message, waysOut } = recoveryOf(error);
      expect(title).toMatch(/^[A-Z].{8,}/);
      expect(message).toBe('What happened.');
      expect(waysOut).toContain(way);
      const { why, todo, ways, said } = troubleOf(error);
      expect(why.length).toBeGreaterThan(10);
      expect(todo.length).toBeGreaterThan(10);
      expect(ways.length).toBeGreaterThan(0);
      expect(said).toBe('What happened.');
    });

  for (const [code, way] of Object.entries(LINK) as [LinkErrorCode, WayOut][])
    it(`${code}: the link’s own title and action, also through the session`, () => {
      const error = new LinkError(code, 'What happened.');
      for (const told of [error, toBoardError(error)]) {
        const { title, message, waysOut } = recoveryOf(told);
        expect(title).toBe(recoveryOf(error).title);
        expect(title).toMatch(/^[A-Z].{8,}/);
        expect(message).toBe('What happened.');
        expect(waysOut).toContain(way);
      }
    });

  it('anything else is told with its own words', () => {
    expect(recoveryOf('odd')).toMatchObject({ message: 'odd', waysOut: ['retry', 'choose'] });
    const titles = Object.keys(BOARD).map((code) => recoveryOf(new BoardError(code as BoardErrorCode, '')).title);
    expect(new Set(titles).size).toBe(titles.length);
  });
});
