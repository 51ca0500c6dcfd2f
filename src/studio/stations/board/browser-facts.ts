/** What the browser tells about itself and about this page's rights. Everything is passed in, so that tests can lie. */

export type SystemName = 'windows' | 'macos' | 'linux' | 'chromeos' | 'android' | 'ios' | 'other';

export interface BrowserFacts {
  /** "Chromium 140" */
  readonly browser: string;
  readonly system: SystemName;
  readonly secure: boolean;
  readonly serial: boolean;
  readonly usb: boolean;
  /** Whether the permissions policy of the page allows serial ports (or USB); null where the browser does not tell. */
  readonly allowed: boolean | null;
}

export interface BrowserWindow {
  readonly isSecureContext: boolean;
  readonly navigator: {
    readonly userAgent: string;
    readonly maxTouchPoints?: number;
    readonly userAgentData?: {
      readonly platform: string;
      readonly brands: readonly { readonly brand: string; readonly version: string }[];
    };
  };
  readonly document: {
    readonly permissionsPolicy?: { allowsFeature(name: string): boolean };
    readonly featurePolicy?: { allowsFeature(name: string): boolean };
  };
}

export function browserFacts(window: BrowserWindow): BrowserFacts {
  const { navigator, document } = window;
  const serial = 'serial' in navigator;
  const usb = 'usb' in navigator;
  const policy = document.permissionsPolicy ?? document.featurePolicy;
  return {
    browser: browserName(navigator),
    system: systemName(navigator),
    secure: window.isSecureContext,
    serial,
    usb,
    allowed: policy ? policy.allowsFeature(serial ? 'serial' : 'usb') : null,
  };
}

function browserName({ userAgent, userAgentData }: BrowserWindow['navigator']): string {
  const brands = userAgentData?.brands.filter(({ brand }) => !/not.?a.?brand/i.test(brand)) ?? [];
  // "Chromium" is in the list beside the browser's own name.
  const own = brands.find(({ brand }) => brand !== 'Chromium') ?? brands[0];
  if (own) return `${own.brand} ${own.version}`;
  const known = [
    ['Edge', /Edg\/(\d+)/],
    ['Opera', /OPR\/(\d+)/],
    ['Firefox', /Firefox\/(\d+)/],
    ['Chrome', /Chrom(?:e|ium)\/(\d+)/],
    ['Safari', /Version\/(\d+)[.\d]* .*Safari/],
  ] as const;
  for (const [name, pattern] of known) {
    const version = pattern.exec(userAgent)?.[1];
    if (version !== undefined) return `${name} ${version}`;
  }
  return 'unknown';
}

function systemName({ userAgent, userAgentData, maxTouchPoints }: BrowserWindow['navigator']): SystemName {
  const text = userAgentData?.platform || userAgent;
  if (/android/i.test(text)) return 'android';
  if (/iphone|ipad|ipod/i.test(text)) return 'ios';
  if (/cros|chrome ?os|chromium ?os/i.test(text)) return 'chromeos';
  if (/win/i.test(text)) return 'windows';
  // An iPad says that it is a Mac; Macs have no touch screens.
  if (/mac/i.test(text)) return (maxTouchPoints ?? 0) > 1 ? 'ios' : 'macos';
  return /linux|x11/i.test(text) ? 'linux' : 'other';
}
