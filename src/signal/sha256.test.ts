import { createHash, createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { Random } from './random';
import { hmacSha256, sha256, Sha256, toHex } from './sha256';

const hex = (text: string) => toHex(sha256(new TextEncoder().encode(text)));

test('the examples of FIPS 180-4', () => {
  expect(hex('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  expect(hex('')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  expect(hex('abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq')).toBe(
    '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
  );
  expect(hex('a'.repeat(1_000_000))).toBe('cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0');
});

test('any length in any pieces agrees with the platform', () => {
  const random = new Random(1);
  for (let length = 0; length < 300; length++) {
    const bytes = Uint8Array.from({ length }, () => random.integer(256));
    const pieces = new Sha256();
    for (let at = 0; at < length;) {
      const size = random.integer(100);
      pieces.update(bytes.subarray(at, at + size));
      at += size;
    }
    expect(toHex(pieces.digest())).toBe(createHash('sha256').update(bytes).digest('hex'));
  }
});

test('HMAC agrees with the platform, with short and long keys', () => {
  for (const length of [0, 1, 32, 64, 65, 200]) {
    const key = new Uint8Array(length).fill(0xaa);
    const message = new TextEncoder().encode('Sample message for keylen=blocklen');
    expect(toHex(hmacSha256(key, message))).toBe(createHmac('sha256', key).update(message).digest('hex'));
  }
});
