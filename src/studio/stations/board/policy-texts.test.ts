/** Policies for administrators, in every form, checked by reading them back. */
import { describe, expect, it } from 'vitest';
import { policies, policyFile, policyOrigin, type PolicyRequest } from './policy-texts';

const ASK: PolicyRequest = { origin: 'https://mote.example', mode: 'ask', vendorIds: [0x2341, 0x2e8a] };
const GRANT: PolicyRequest = { ...ASK, mode: 'grant' };

describe('policies', () => {
  it('take origins only', () => {
    for (const good of ['https://a.example', 'https://a.example:8443', 'http://localhost:4173/']) {
      expect(policyOrigin(good)).toBe(new URL(good).origin);
    }
    for (const bad of [
      'a.example',
      'https://a.example/path',
      'https://a.example/?x',
      'file:///x',
      'https://u@a.example',
      '',
    ]) {
      expect(policyOrigin(bad)).toBeNull();
    }
  });

  it('JSON for Linux and consoles', () => {
    const { path, text } = policyFile('linux', 'chrome', GRANT);
    expect(path).toBe('/etc/opt/chrome/policies/managed/mote.json');
    const grant = [{ devices: [{ vendor_id: 9025 }, { vendor_id: 11914 }], urls: ['https://mote.example'] }];
    expect(JSON.parse(text)).toEqual({
      SerialAskForUrls: ['https://mote.example'],
      WebUsbAskForUrls: ['https://mote.example'],
      SerialAllowUsbDevicesForUrls: grant,
      WebUsbAllowDevicesForUrls: grant,
    });
    expect(JSON.parse(policyFile('json', 'edge', ASK).text)).toEqual(policies(ASK));
  });

  it('a registry file: lists are keys, dictionaries are JSON in one value', () => {
    const lines = policyFile('windows', 'edge', GRANT).text.split('\r\n');
    expect(lines[0]).toBe('Windows Registry Editor Version 5.00');
    const key = '[HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\Microsoft\\Edge';
    expect(lines[lines.indexOf(`${key}\\SerialAskForUrls]`) + 1]).toBe('"1"="https://mote.example"');
    const value = lines[lines.indexOf(`${key}]`) + 1] ?? '';
    const quoted = /^"SerialAllowUsbDevicesForUrls"="(.*)"$/.exec(value)?.[1] ?? '';
    expect(JSON.parse(quoted.replaceAll('\\"', '"'))).toEqual(policies(GRANT)['SerialAllowUsbDevicesForUrls']);
    expect(policyFile('windows', 'chromium', ASK).text).not.toContain('AllowUsb');
  });

  it('a property list', () => {
    const { name, text } = policyFile('macos', 'chrome', GRANT);
    expect(name).toBe('com.google.Chrome.plist');
    expect(text).toContain('<key>vendor_id</key>\n          <integer>9025</integer>');
    for (const tag of ['dict', 'array', 'plist']) {
      expect(text.split(`<${tag}`).length).toBe(text.split(`</${tag}>`).length);
    }
  });
});
