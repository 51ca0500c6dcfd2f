/** "Why can't I see my board?": what follows from the facts, and the text that may be sent to anybody. */
import type { Failure } from '../../state/board-failure';
import type { BrowserFacts } from './browser-facts';

/** A board on the bench as far as the text tells it: no name, no serial number. */
export interface BenchFact {
  /** "Arduino (2341:0043)", "virtual" */
  readonly port: string;
  readonly state: string;
  readonly dialect: string | null;
  readonly firmware: string | null;
  readonly baudRate: number;
  readonly failures: readonly Failure[];
}

export interface DiagnosisFacts {
  readonly app: string;
  readonly browser: BrowserFacts;
  readonly backing: 'web-serial' | 'webusb' | 'none';
  /** Titles by USB ids of the ports that are allowed and plugged in. */
  readonly ports: readonly string[];
  /** USB ids of ports that other tabs have open. */
  readonly elsewhere: readonly string[];
  readonly bench: readonly BenchFact[];
  readonly chooser: readonly Failure[];
}

export type Finding = 'insecure' | 'no-api' | 'policy' | 'elsewhere' | 'no-ports' | 'fine';

/** What stands in the way, the decisive first. */
export function findingsOf({ browser, ports, elsewhere }: DiagnosisFacts): readonly Finding[] {
  if (!browser.secure) return ['insecure'];
  if (!browser.serial && !browser.usb) return ['no-api'];
  if (browser.allowed === false) return ['policy'];
  const findings: Finding[] = [];
  if (elsewhere.length > 0) findings.push('elsewhere');
  findings.push(ports.length === 0 ? 'no-ports' : 'fine');
  return findings;
}

/** English, for issues and mails; holds no names, labels or serial numbers. */
export function diagnosticText(facts: DiagnosisFacts): string {
  const { browser } = facts;
  const yes = (value: boolean | null): string => (value === null ? 'unknown' : value ? 'yes' : 'no');
  const list = (items: readonly string[]): string => (items.length === 0 ? 'none' : items.join(', '));
  const failed = (failures: readonly Failure[]): string =>
    list(failures.map(({ code, at }) => `${code} at ${new Date(at).toISOString().slice(11, 19)} UTC`));
  return [
    'Mote diagnostic',
    `App: ${facts.app}`,
    `Browser: ${browser.browser} on ${browser.system}`,
    `Secure page: ${yes(browser.secure)}`,
    `Web Serial: ${yes(browser.serial)}; WebUSB: ${yes(browser.usb)}; allowed on this page: ${yes(browser.allowed)}`,
    `Boards are reached by: ${facts.backing}`,
    `Ports allowed and plugged in: ${list(facts.ports)}`,
    `Open in other tabs: ${list(facts.elsewhere)}`,
    `Errors of the chooser: ${failed(facts.chooser)}`,
    ...facts.bench.map(
      ({ port, state, dialect, firmware, baudRate, failures }, i) =>
        `Board ${i + 1}: ${port}, ${state}, speaks ${dialect ?? 'nothing yet'}, firmware ${firmware || 'not told'}, ${baudRate} baud; errors: ${failed(failures)}`,
    ),
    '',
  ].join('\n');
}

/** Rules that let whoever sits at a Linux computer use the ports of these USB makers. */
export function udevRules(vendorIds: readonly number[]): string {
  const rules = vendorIds.map(
    (id) => `SUBSYSTEM=="tty", ATTRS{idVendor}=="${id.toString(16).padStart(4, '0')}", TAG+="uaccess"`,
  );
  return `# Mote: serial ports of USB boards\n${rules.join('\n')}\n`;
}
