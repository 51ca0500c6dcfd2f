import { expect, test } from 'vitest';
import { findClassFolders, isNoData, labelFromPath, splitFromPath } from './naming';

test('the text before the first dot is the label', () => {
  expect(labelFromPath('wave.01.csv')).toBe('wave');
  expect(labelFromPath('wave.csv')).toBe('wave');
  expect(labelFromPath('_idle.6ed98fabc360.csv')).toBe('_idle');
  expect(labelFromPath('idle.1.cbor.ingestion-5d79-abc.cbor')).toBe('idle');
  expect(labelFromPath('csv/_unknown.bb7e.csv')).toBe('_unknown');
  expect(labelFromPath('training/idle.1.cbor')).toBe('idle');
  expect(labelFromPath('mine/wave.1.csv')).toBe('wave');
  expect(labelFromPath('.csv')).toBeNull();
  expect(labelFromPath('')).toBeNull();
  expect(labelFromPath(`${'x'.repeat(500)}.1.csv`)).toHaveLength(100);
  expect(labelFromPath('a\u0000b\u202e\n c.1.csv')).toBe('a b c');
});

test('a name that says nothing leaves it to the folder', () => {
  for (const name of ['0001.csv', 'recording-3.csv', 'data.csv', '2024-01-05.csv', 'rec.001.csv', '6ed98fabc360.csv']) {
    expect(labelFromPath(`all/high/${name}`)).toBe('high');
  }
  expect(labelFromPath('training/0001.csv')).toBe('0001');
  expect(labelFromPath('0001.csv')).toBe('0001');
});

test('folders side by side are classes', () => {
  const paths = ['set/walk/monday.csv', 'set/walk/tuesday.csv', 'set/run/monday.csv', 'set/run/x.y.csv'];
  const folders = findClassFolders(paths);
  expect(paths.map((path) => labelFromPath(path, folders))).toEqual(['walk', 'walk', 'run', 'x']);
  expect(findClassFolders(['set/training/a.csv', 'set/testing/a.csv'])).toEqual(new Set());
  expect(findClassFolders(['set/walk/a.csv', 'set/walk/b.csv'])).toEqual(new Set());
  expect(labelFromPath('set/walk/monday.csv', findClassFolders(['set/walk/monday.csv']))).toBe('monday');
  expect(
    labelFromPath('C:\\set\\walk\\monday.csv', findClassFolders(['C:\\set\\walk\\1.csv', 'C:\\set\\run\\1.csv'])),
  ).toBe('walk');
});

test('the innermost folder of a set wins', () => {
  expect(splitFromPath('training/idle.1.cbor')).toBe('train');
  expect(splitFromPath('a/Testing/b/idle.1.cbor')).toBe('test');
  expect(splitFromPath('testing/train/idle.csv')).toBe('train');
  expect(splitFromPath('test.csv')).toBe('auto');
  expect(splitFromPath('attested/x.csv')).toBe('auto');
});

test('files that come along are known', () => {
  for (const name of ['README.txt', 'a/readme.md', 'LICENSE', '.DS_Store', 'x/Thumbs.db', 'notes.md']) {
    expect(isNoData(name), name).toBe(true);
  }
  for (const name of ['wave.csv', 'license-plate.csv', 'a/read.csv']) expect(isNoData(name), name).toBe(false);
});
