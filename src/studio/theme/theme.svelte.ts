/** Light, dark or as the system says. Kept in localStorage: it must be known before the store opens. */
import { getContext, setContext } from 'svelte';

export type ThemeChoice = 'system' | 'light' | 'dark';

const KEY = 'mote.theme';
const CHOICES: readonly ThemeChoice[] = ['system', 'light', 'dark'];

function stored(): ThemeChoice {
  try {
    const value = localStorage.getItem(KEY);
    return CHOICES.find((choice) => choice === value) ?? 'system';
  } catch {
    return 'system'; // storage is blocked: the choice then lasts as long as the tab
  }
}

export class Theme {
  #choice = $state<ThemeChoice>('system');
  #systemDark = $state(false);

  constructor() {
    this.#choice = stored();
    const query = matchMedia('(prefers-color-scheme: dark)');
    this.#systemDark = query.matches;
    query.addEventListener('change', (event) => (this.#systemDark = event.matches));
    this.#apply();
  }

  get choice(): ThemeChoice {
    return this.#choice;
  }

  /** What is on the screen now. Canvases read it to know when to redraw. */
  get effective(): 'light' | 'dark' {
    if (this.#choice === 'system') return this.#systemDark ? 'dark' : 'light';
    return this.#choice;
  }

  set(choice: ThemeChoice): void {
    this.#choice = choice;
    this.#apply();
    try {
      localStorage.setItem(KEY, choice);
    } catch {
      // blocked storage: see stored()
    }
  }

  #apply(): void {
    if (this.#choice === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = this.#choice;
  }
}

const KEY_OF_CONTEXT = Symbol('theme');

export function provideTheme(theme: Theme): void {
  setContext(KEY_OF_CONTEXT, theme);
}

/** The theme in use, inside any component under the shell. */
export function getTheme(): Theme {
  return getContext<Theme>(KEY_OF_CONTEXT);
}
