/** The cores that C is made for, as options of a menu. */
import { TARGETS, type Target } from '../../../emit/target';
import { t } from '../../messages/messages.svelte';

const NAMES: Readonly<Record<Target, () => string>> = {
  generic: () => t('deploy.targetGeneric'),
  'cortex-m4': () => t('deploy.targetM4'),
  'cortex-m0plus': () => t('deploy.targetM0'),
  esp32: () => t('deploy.targetEsp32'),
  avr: () => t('deploy.targetAvr'),
  rv32: () => t('deploy.targetRv32'),
};

export function targetOptions(): readonly { readonly value: Target; readonly label: string }[] {
  return TARGETS.map((value) => ({ value, label: NAMES[value]() }));
}
