/** Short notices in the corner: what was done, with undo where it can be undone. Errors stay until dismissed. */
export interface Toast {
  readonly id: number;
  readonly tone: 'info' | 'good' | 'bad';
  readonly text: string;
  readonly action?: { readonly label: string; readonly run: () => void };
}

/** Long enough to read twice and to reach the undo button by keyboard. */
const TOAST_MS = 9000;
const MAX_TOASTS = 4;

export class Toasts {
  list = $state.raw<readonly Toast[]>([]);
  #next = 1;
  readonly #timers: Record<number, ReturnType<typeof setTimeout>> = {};

  /** A notice that says the same as one on the screen takes its place. */
  show(toast: Omit<Toast, 'id'>): number {
    for (const { id, tone, text, action } of this.list)
      if (tone === toast.tone && text === toast.text && !action) this.dismiss(id);
    const id = this.#next++;
    this.list = [...this.list, { ...toast, id }];
    while (this.list.length > MAX_TOASTS) {
      const oldest = this.list[0];
      if (oldest) this.dismiss(oldest.id);
    }
    if (toast.tone !== 'bad') this.resume(id);
    return id;
  }

  info(text: string, action?: Toast['action']): number {
    return this.show({ tone: 'info', text, ...(action ? { action } : {}) });
  }

  good(text: string, action?: Toast['action']): number {
    return this.show({ tone: 'good', text, ...(action ? { action } : {}) });
  }

  bad(text: string): number {
    return this.show({ tone: 'bad', text });
  }

  /** Stops the clock while the pointer or the focus is on the notice. */
  hold(id: number): void {
    clearTimeout(this.#timers[id]);
    delete this.#timers[id];
  }

  resume(id: number): void {
    this.hold(id);
    this.#timers[id] = setTimeout(() => this.dismiss(id), TOAST_MS);
  }

  dismiss(id: number): void {
    this.hold(id);
    this.list = this.list.filter((toast) => toast.id !== id);
  }
}
