import { expect, test } from 'vitest';
import { PRISTINE } from './recording';
test('x', () => { expect(PRISTINE.gaps).toBe(0); });
