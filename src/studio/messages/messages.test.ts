import { expect, test } from 'vitest';
import { en } from './en';
import { format } from './format';
import { t } from './messages.svelte';

test('fills places, with formats and plural forms', () => {
  expect(t('shell.vitalBoardRate', { channels: 6, rate: 62.5 })).toBe('6 ch, 62.5\u00a0Hz');
  expect(t('shell.vitalDataRecordings', { count: 1 })).toBe('1 recording');
  expect(t('shell.vitalDataRecordings', { count: 1204 })).toBe('1,204 recordings');
});

test('every message asks for formats that exist', () => {
  const texts = Object.values(en).flatMap((section) =>
    Object.values(section).flatMap((message: string | Record<string, string>) =>
      typeof message === 'string' ? [message] : Object.values(message),
    ),
  );
  const asked = texts.flatMap((text) => [...text.matchAll(/\{\w+:(\w+)\}/g)].map((match) => match[1] ?? ''));
  expect(asked.length).toBeGreaterThan(10);
  expect(asked.filter((name) => !(name in format))).toEqual([]);
});
