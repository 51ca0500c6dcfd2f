/** What the record panel is set to; survives changing stations and reloads. */
import type { SettingStore } from '../../../store/studio-store';

const SETTING = 'recorder';

/** Seconds; 0 records until stopped. */
export const LENGTHS = [1, 2, 3, 5, 10, 20, 30, 60, 0] as const;
/** Seconds. */
export const COUNTDOWNS = [0, 2, 3, 5] as const;

interface Saved {
  readonly label: string;
  readonly seconds: number;
  readonly countdown: number;
}

export class RecordChoices {
  label = $state('');
  seconds = $state<number>(5);
  countdown = $state<number>(0);

  constructor(private readonly store: SettingStore) {}

  async open(): Promise<void> {
    const saved = await this.store.getSetting<Saved>(SETTING);
    if (!saved) return;
    this.label = saved.label;
    if (LENGTHS.some((length) => length === saved.seconds)) this.seconds = saved.seconds;
    if (COUNTDOWNS.some((countdown) => countdown === saved.countdown)) this.countdown = saved.countdown;
  }

  async save(): Promise<void> {
    const saved: Saved = { label: this.label, seconds: this.seconds, countdown: this.countdown };
    await this.store.putSetting(SETTING, saved);
  }
}
