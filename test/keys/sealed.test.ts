import { scryptSync } from 'node:crypto';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import nacl from 'tweetnacl';
import { describe, expect, test } from 'vitest';
import { TouchmarkError } from '../../src/errors.js';
import { SealedSecret, seal, unseal } from '../../src/keys/sealed.js';

const SECRET = Uint8Array.from({ length: 32 }, (_, i) => 200 - i);
/** scrypt takes a second at the cost of new rings; the rest of the tests use the lowest cost that is read. */
const sealed = seal(SECRET, 'correct horse');
const cheap = sealedAt(2 ** 14, 'correct horse');

/** A sealed secret made with Node's scrypt, as another implementation would. */
function sealedAt(n: number, passphrase: string): SealedSecret {
	const salt = new Uint8Array(32).fill(3);
	const nonce = new Uint8Array(24).fill(4);
	const key = scryptSync(passphrase.normalize('NFC'), salt, 32, { N: n, r: 8, p: 1, maxmem: 2 ** 28 });
	const box = bytesToHex(nacl.secretbox(SECRET, nonce, Uint8Array.from(key)));
	return { kdf: 'scrypt', n, r: 8, p: 1, salt: bytesToHex(salt), nonce: bytesToHex(nonce), box };
}

function codeOf(open: () => unknown): string {
	try {
		open();
	} catch (error) {
		if (TouchmarkError.isInstance(error)) return error.code;
		throw error;
	}
	return 'opened';
}

describe('seal', () => {
	test('round trip at the cost of new rings: 128 MiB, about a second', () => {
		expect(sealed).toMatchObject({ kdf: 'scrypt', n: 2 ** 17, r: 8, p: 1 });
		expect(SealedSecret.safeParse(sealed).success).toBe(true);
		expect(unseal(sealed, 'correct horse')).toEqual(SECRET);
	});
	test('opens with other implementations of scrypt and secretbox', () => {
		const key = scryptSync('correct horse', hexToBytes(sealed.salt), 32, {
			N: sealed.n,
			r: 8,
			p: 1,
			maxmem: 2 ** 28,
		});
		expect(
			nacl.secretbox.open(hexToBytes(sealed.box), hexToBytes(sealed.nonce), Uint8Array.from(key)),
		).toEqual(SECRET);
		expect(unseal(cheap, 'correct horse')).toEqual(SECRET);
	});
	test('holds nothing of the secret, and the same secret looks different each time', () => {
		expect(JSON.stringify(sealed)).not.toContain(bytesToHex(SECRET).slice(0, 16));
		expect(sealed.box).not.toBe(cheap.box);
	});
});

describe('unseal', () => {
	test.each(['wrong', '', 'correct horse ', 'Correct horse'])(
		'passphrase "%s" does not open it',
		(passphrase) => {
			expect(codeOf(() => unseal(cheap, passphrase))).toBe('bad-passphrase');
		},
	);
	test.each(['salt', 'nonce', 'box'] as const)('a changed %s does not open', (part) => {
		for (const at of [0, cheap[part].length - 1]) {
			const digit = cheap[part][at] === '0' ? '1' : '0';
			const changed = cheap[part].slice(0, at) + digit + cheap[part].slice(at + 1);
			expect(codeOf(() => unseal({ ...cheap, [part]: changed }, 'correct horse'))).toBe('bad-passphrase');
		}
	});
	test('a changed cost does not open', () => {
		expect(codeOf(() => unseal({ ...cheap, n: 2 ** 15 }, 'correct horse'))).toBe('bad-passphrase');
	});
	test('accents typed in either Unicode form are the same passphrase', () => {
		expect(unseal(sealedAt(2 ** 14, 'caf\u00e9'), 'cafe\u0301')).toEqual(SECRET);
	});
});

describe('schema', () => {
	test.each([
		['a weak cost', { n: 2 ** 13 }],
		['a cost that would take the machine', { n: 2 ** 21 }],
		['a cost that is no power of two', { n: 100_000 }],
		['another r', { r: 16 }],
		['a short box', { box: '00' }],
		['an unknown field', { hint: 'my cat' }],
	])('%s is refused', (_what, change) => {
		expect(SealedSecret.safeParse({ ...cheap, ...change }).success).toBe(false);
	});
});
