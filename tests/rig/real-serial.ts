/**
 * Real Web Serial in headless Chromium: a policy grants the test's origin our USB ids, a pty stands for the cable, and
 * a udev broadcast plugs it in and out. Needs Linux, root and Python 3; `missingReason` says what is not there.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const POLICY_FOLDER = '/etc/chromium/policies/managed';
const POLICY_FILE = join(POLICY_FOLDER, 'mote-rig.json');
const READY_TIMEOUT_MS = 10_000;

export interface UsbIds {
  readonly vendor: number;
  readonly product: number;
  readonly serial: string;
}

/** Why real serial cannot be had here, or null when it can. */
export function missingReason(): string | null {
  if (process.platform !== 'linux') return 'real Web Serial is driven through Linux udev messages only';
  if (process.getuid?.() !== 0) return 'broadcasting udev messages and setting the browser policy needs root';
  if (!existsSync('/usr/bin/chromium')) return 'the policy is read by Debian chromium, which is not installed';
  return null;
}

/** Lets the origin use ports with these ids without asking. Returns the undo. */
export function grantPorts(origin: string, ids: readonly UsbIds[]): () => void {
  mkdirSync(POLICY_FOLDER, { recursive: true });
  const devices = ids.map(({ vendor, product }) => ({ vendor_id: vendor, product_id: product }));
  writeFileSync(POLICY_FILE, JSON.stringify({ SerialAllowUsbDevicesForUrls: [{ devices, urls: [origin] }] }));
  return () => rmSync(POLICY_FILE, { force: true });
}

/** A program behind a cable. */
export class RigBoard {
  private process: ChildProcess | null = null;
  private readonly folder = mkdtempSync(join(tmpdir(), 'mote-rig-'));
  private readonly link = join(this.folder, 'tty');

  /**
   * @param name device name, e.g. "ttyACM0"
   * @param command program and arguments that speak the board's bytes on standard input and output
   * @param baud paces the wire when given
   */
  constructor(
    private readonly name: string,
    private readonly ids: UsbIds,
    private readonly command: readonly string[],
    private readonly baud = 0,
  ) {}

  /** Powers the board and plugs it in. */
  async plug(): Promise<void> {
    const pace = this.baud > 0 ? ['--baud', String(this.baud)] : [];
    const child = spawn('python3', [join(HERE, 'pty_peer.py'), this.link, ...pace, '--', ...this.command], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.process = child;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${this.name} did not start`)), READY_TIMEOUT_MS);
      child.stdout.once('data', () => {
        clearTimeout(timer);
        resolve();
      });
      child.once('error', reject);
    });
    this.announce('add');
  }

  /** Pulls the cable: the port is gone and the board has no power. */
  async unplug(): Promise<void> {
    this.announce('remove');
    const child = this.process;
    this.process = null;
    // A board whose program ended by itself is gone already.
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill('SIGKILL');
    // The board itself is a child of the bridge; closing its pipes ends it.
    await ended;
  }

  /** Leaves the port in the list and lets nobody open it any more, as a program does that has it to itself. */
  block(): void {
    rmSync(this.link);
  }

  async dispose(): Promise<void> {
    if (this.process) await this.unplug();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private announce(action: 'add' | 'remove'): void {
    const hex = (id: number) => id.toString(16).padStart(4, '0');
    const { vendor, product, serial } = this.ids;
    execFileSync('python3', [
      join(HERE, 'hotplug.py'),
      action,
      this.name,
      this.link,
      hex(vendor),
      hex(product),
      serial,
    ]);
  }
}
