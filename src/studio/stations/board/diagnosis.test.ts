/** Live facts of browsers that differ, what follows from them, and a text that names nobody. */
import { describe, expect, it } from 'vitest';
import { BoardError } from '../../../board/board';
import { LinkError } from '../../../board/link';
import { toBoardError } from '../../../board/link-failure';
import { failureOf } from '../../state/board-failure';
import { browserFacts, type BrowserWindow } from './browser-facts';
import { diagnosticText, findingsOf, udevRules, type DiagnosisFacts } from './diagnosis';

function windowOf(userAgent: string, navigator: object = {}, allowed?: boolean): BrowserWindow {
  return {
    isSecureContext: true,
    navigator: { userAgent, ...navigator },
    document: allowed === undefined ? {} : { featurePolicy: { allowsFeature: () => allowed } },
  };
}

const AGENTS = [
  [
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
    'Chrome 140',
    'linux',
  ],
  [
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0',
    'Edge 140',
    'windows',
  ],
  [
    'Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
    'Chrome 140',
    'chromeos',
  ],
  [
    'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36',
    'Chrome 140',
    'android',
  ],
  ['Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:151.0) Gecko/20100101 Firefox/151.0', 'Firefox 151', 'windows'],
  [
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1',
    'Safari 18',
    'ios',
  ],
  [
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15',
    'Safari 18',
    'macos',
  ],
] as const;

describe('facts of the browser', () => {
  for (const [agent, browser, system] of AGENTS)
    it(`${browser} on ${system}`, () => expect(browserFacts(windowOf(agent))).toMatchObject({ browser, system }));

  it('prefers what the browser says of itself, and knows an iPad that says it is a Mac', () => {
    const brands = [
      { brand: 'Not A;Brand', version: '99' },
      { brand: 'Chromium', version: '141' },
    ];
    const hinted = windowOf('whatever', { userAgentData: { platform: 'Chrome OS', brands } });
    expect(browserFacts(hinted)).toMatchObject({ browser: 'Chromium 141', system: 'chromeos' });
    expect(browserFacts(windowOf(AGENTS[6][0], { maxTouchPoints: 5 })).system).toBe('ios');
  });

  it('sees interfaces and the permissions policy', () => {
    const facts = browserFacts(windowOf(AGENTS[0][0], { serial: {}, usb: {} }, false));
    expect(facts).toMatchObject({ serial: true, usb: true, allowed: false });
    expect(browserFacts(windowOf(AGENTS[4][0]))).toMatchObject({ serial: false, usb: false, allowed: null });
  });
});

const FACTS: DiagnosisFacts = {
  app: 'Mote 1.0',
  browser: { browser: 'Chrome 140', system: 'linux', secure: true, serial: true, usb: true, allowed: true },
  backing: 'web-serial',
  ports: [],
  elsewhere: [],
  bench: [],
  chooser: [],
};

describe('why a board is not seen', () => {
  const browser = FACTS.browser;
  it.each([
    [{ browser: { ...browser, secure: false } }, ['insecure']],
    [{ browser: { ...browser, serial: false, usb: false } }, ['no-api']],
    [{ browser: { ...browser, allowed: false } }, ['policy']],
    [{ elsewhere: ['2341:0043'] }, ['elsewhere', 'no-ports']],
    [{ ports: ['Arduino (2341:0043)'] }, ['fine']],
    [{}, ['no-ports']],
  ] as const)('%j', (change, expected) => expect(findingsOf({ ...FACTS, ...change })).toEqual(expected));

  it('is told in a text with codes and ids, and nothing that names anybody', () => {
    const failure = failureOf(new BoardError('garbage', 'Anna’s board sends “secret”'), Date.UTC(2026, 10, 26, 12, 30));
    const busy = failureOf(toBoardError(new LinkError('busy-tab', 'Anna’s board')), 0);
    const text = diagnosticText({
      ...FACTS,
      ports: ['Arduino (2341:0043)'],
      bench: [
        {
          port: 'Arduino (2341:0043)',
          state: 'failed',
          dialect: 'mote',
          firmware: '0.1.0',
          baudRate: 9600,
          failures: [failure, busy],
        },
      ],
    });
    expect(text).toContain(
      'Board 1: Arduino (2341:0043), failed, speaks mote, firmware 0.1.0, 9600 baud; errors: garbage at 12:30:00 UTC, busy/busy-tab at',
    );
    expect(text).not.toMatch(/Anna|secret/);
  });

  it('udev rules name each maker once, in four hex digits', () => {
    expect(udevRules([0x403, 0x2341])).toBe(
      '# Mote: serial ports of USB boards\nSUBSYSTEM=="tty", ATTRS{idVendor}=="0403", TAG+="uaccess"\nSUBSYSTEM=="tty", ATTRS{idVendor}=="2341", TAG+="uaccess"\n',
    );
  });
});
