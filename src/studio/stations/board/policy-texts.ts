/**
 * Policies that let one site reach boards, in the forms that administrators paste. Names and shapes as documented for
 * Chromium (chromeenterprise.google/policies) and Edge (learn.microsoft.com/deployedge/microsoft-edge-policies).
 */

export type PolicyBrowser = 'chrome' | 'edge' | 'chromium';
export type PolicyForm = 'windows' | 'macos' | 'linux' | 'json';
/** `ask`: people choose from the browser's list. `grant`: boards of the listed makers need no question. */
export type PolicyMode = 'ask' | 'grant';

export interface PolicyRequest {
  readonly origin: string;
  readonly mode: PolicyMode;
  readonly vendorIds: readonly number[];
}

type PolicyValue = readonly string[] | readonly DeviceGrant[];
interface DeviceGrant {
  readonly devices: readonly { readonly vendor_id: number }[];
  readonly urls: readonly string[];
}

/** An origin that policies take ("https://a.example:8443"), or null. */
export function policyOrigin(text: string): string | null {
  try {
    const url = new URL(text.trim());
    const plain = (url.protocol === 'https:' || url.protocol === 'http:') && url.pathname === '/' && url.search === '';
    return plain && url.username === '' && url.hash === '' ? url.origin : null;
  } catch {
    return null;
  }
}

export function policies({ origin, mode, vendorIds }: PolicyRequest): Readonly<Record<string, PolicyValue>> {
  const ask = { SerialAskForUrls: [origin], WebUsbAskForUrls: [origin] };
  if (mode === 'ask') return ask;
  const grant: DeviceGrant[] = [{ devices: vendorIds.map((id) => ({ vendor_id: id })), urls: [origin] }];
  return { ...ask, SerialAllowUsbDevicesForUrls: grant, WebUsbAllowDevicesForUrls: grant };
}

const REGISTRY: Readonly<Record<PolicyBrowser, string>> = {
  chrome: 'Google\\Chrome',
  edge: 'Microsoft\\Edge',
  chromium: 'Chromium',
};
const PLIST: Readonly<Record<PolicyBrowser, string>> = {
  chrome: 'com.google.Chrome',
  edge: 'com.microsoft.Edge',
  chromium: 'org.chromium.Chromium',
};
const LINUX: Readonly<Record<PolicyBrowser, string>> = {
  chrome: '/etc/opt/chrome/policies/managed',
  edge: '/etc/opt/edge/policies/managed',
  chromium: '/etc/chromium/policies/managed',
};

export interface PolicyFile {
  /** Where it belongs: a path, or just a file name. */
  readonly path: string;
  readonly name: string;
  readonly text: string;
}

export function policyFile(form: PolicyForm, browser: PolicyBrowser, request: PolicyRequest): PolicyFile {
  const wanted = policies(request);
  switch (form) {
    case 'windows': {
      const text = registryText(`HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\${REGISTRY[browser]}`, wanted);
      return { path: 'mote-policy.reg', name: 'mote-policy.reg', text };
    }
    case 'macos': {
      const name = `${PLIST[browser]}.plist`;
      return { path: `/Library/Managed Preferences/${name}`, name, text: plistText(wanted) };
    }
    case 'linux':
      return { path: `${LINUX[browser]}/mote.json`, name: 'mote.json', text: jsonText(wanted) };
    case 'json':
      return { path: 'mote-policy.json', name: 'mote-policy.json', text: jsonText(wanted) };
  }
}

function jsonText(wanted: Readonly<Record<string, PolicyValue>>): string {
  return `${JSON.stringify(wanted, null, 2)}\n`;
}

const isTexts = (value: PolicyValue): value is readonly string[] => value.every((item) => typeof item === 'string');

/** Lists of texts are keys with numbered values; dictionaries are one value of JSON (REG_SZ). */
function registryText(key: string, wanted: Readonly<Record<string, PolicyValue>>): string {
  const quoted = (text: string): string => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
  const lists: string[] = [];
  const values: string[] = [];
  for (const [name, value] of Object.entries(wanted)) {
    if (isTexts(value)) {
      lists.push(`[${key}\\${name}]`, ...value.map((text, i) => `${quoted(String(i + 1))}=${quoted(text)}`), '');
    } else values.push(`${quoted(name)}=${quoted(JSON.stringify(value))}`);
  }
  const own = values.length > 0 ? [`[${key}]`, ...values, ''] : [];
  return ['Windows Registry Editor Version 5.00', '', ...own, ...lists].join('\r\n');
}

function plistText(wanted: Readonly<Record<string, PolicyValue>>): string {
  const escaped = (text: string): string =>
    text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  const element = (value: unknown, indent: string): string => {
    if (typeof value === 'string') return `${indent}<string>${escaped(value)}</string>`;
    if (typeof value === 'number') return `${indent}<integer>${value}</integer>`;
    const inner = `${indent}  `;
    if (Array.isArray(value)) {
      return [`${indent}<array>`, ...value.map((item) => element(item, inner)), `${indent}</array>`].join('\n');
    }
    const fields = Object.entries(value as Record<string, unknown>).flatMap(([name, item]) => [
      `${inner}<key>${escaped(name)}</key>`,
      element(item, inner),
    ]);
    return [`${indent}<dict>`, ...fields, `${indent}</dict>`].join('\n');
  };
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">',
    '<plist version="1.0">',
    element(wanted, ''),
    '</plist>',
    '',
  ].join('\n');
}
