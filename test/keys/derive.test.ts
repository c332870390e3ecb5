import { createHash, hkdfSync } from 'node:crypto';
import { bytesToHex } from '@noble/hashes/utils.js';
import { describe, expect, test } from 'vitest';
import { commit, deriveKey, deriveMarkKey, heldOutKey } from '../../src/keys/derive.js';
import { defaultMarks } from '../../src/marks/defaults.js';
import { canonicalBytes, type MarkTemplate, markId } from '../../src/marks/mark-spec.js';

const MASTER = Uint8Array.from({ length: 32 }, (_, i) => i);
const [usual, choice] = defaultMarks('acme', 'ab'.repeat(32));
const shape: MarkTemplate = { ...usual, scheme: { name: 'kgw', gamma: 0.25, delta: 2 } };

/** Templates that differ from `choice` in one thing each. */
const relatives: MarkTemplate[] = [
	choice,
	{ ...choice, epoch: 1 },
	{ ...choice, epoch: 2 },
	{ ...choice, contextWidth: 3 },
	{ ...choice, layer: 'cohort', member: 'a' },
	{ ...choice, layer: 'account', member: 'a' },
	{ ...choice, layer: 'cohort', member: 'b' },
	{ ...choice, deployment: 'acme-2' },
	{ ...choice, tokenizer: null },
	{ ...choice, start: 'pad' },
	{ ...choice, selector: 'keyed', share: 128 },
	{ ...choice, prf: 'hmac-sha256-v1' },
	{ ...shape },
	{ ...shape, scheme: { name: 'kgw', gamma: 0.25, delta: 1 } },
];

describe('mark keys', () => {
	test('are HKDF-SHA-256 of the master under a label that holds the whole template', () => {
		const info = Buffer.concat([Buffer.from('touchmark/v1/mark\0'), canonicalBytes(choice)]);
		const expected = Buffer.from(hkdfSync('sha256', MASTER, 'touchmark', info, 32)).toString('hex');
		expect(bytesToHex(deriveMarkKey(MASTER, choice))).toBe(expected);
	});
	test('stay what they are (pinned): a ring of today opens the marks of last year', () => {
		expect(bytesToHex(deriveMarkKey(MASTER, shape))).toBe(
			'3f7d78917f91d95895cc5b15f476ed13ffac50e09c82d2da47a8f410c7761f21',
		);
		expect(bytesToHex(deriveMarkKey(MASTER, choice))).toBe(
			'ed087c1444720a56aaa9b39dd64294b69b625f34e85bc1bd3ea8aa786fb47194',
		);
	});
	test('differ between epochs, widths, layers, members, deployments, schemes, and masters', () => {
		const keys = relatives.map((template) => bytesToHex(deriveMarkKey(MASTER, template)));
		keys.push(
			bytesToHex(
				deriveMarkKey(
					MASTER.map((byte) => byte ^ 1),
					choice,
				),
			),
		);
		expect(new Set(keys).size).toBe(keys.length);
	});
	test('have the length that their PRF takes', () => {
		expect(deriveMarkKey(MASTER, choice)).toHaveLength(32);
		expect(deriveMarkKey(MASTER, { ...choice, prf: 'philox4x32-10-v1' })).toHaveLength(8);
	});
	test('do not depend on the order in which a template was written', () => {
		const reversed = Object.fromEntries(Object.entries(choice).reverse()) as unknown as MarkTemplate;
		expect(deriveMarkKey(MASTER, reversed)).toEqual(deriveMarkKey(MASTER, choice));
	});
	test('of different purposes differ', () => {
		const purposes = ['mark', 'commitment-salt', 'sign', 'held-out'] as const;
		expect(new Set(purposes.map((purpose) => bytesToHex(deriveKey(MASTER, purpose, choice)))).size).toBe(4);
	});
});

describe('commitment', () => {
	const salt = new Uint8Array(32).fill(7);
	const key = deriveMarkKey(MASTER, choice);

	test('is the salted hash of template and key', () => {
		const subject = createHash('sha256').update(canonicalBytes(choice)).digest();
		const hash = createHash('sha256')
			.update('touchmark/v1/commitment\0')
			.update(salt)
			.update(subject)
			.update(key);
		expect(commit(salt, key, choice)).toBe(hash.digest('hex'));
	});
	test('binds salt, key and template: one bit or one field makes it another', () => {
		const flipped = (bytes: Uint8Array, at: number) =>
			bytes.map((byte, i) => (i === at ? byte ^ 0x80 : byte));
		const commitments = [
			commit(salt, key, choice),
			commit(flipped(salt, 31), key, choice),
			commit(salt, flipped(key, 0), choice),
			commit(salt, flipped(key, 31), choice),
			...relatives.slice(1).map((template) => commit(salt, key, template)),
		];
		expect(new Set(commitments).size).toBe(commitments.length);
	});
});

describe('held-out keys', () => {
	const spec = { ...choice, commitment: '05'.repeat(32) };
	const digest = 'cd'.repeat(32);
	const hex = (index: number, of = spec, corpus = digest) =>
		bytesToHex(heldOutKey(of, markId(of), corpus, index));

	test('follow from mark, corpus and index alone, so that nobody can draw again', () => {
		expect(hex(0)).toBe(hex(0));
		expect(hex(3)).toBe('c4a86da0ab65cc67cde4407baac1ef6a52d86fd95d1b525ebe57fadd092879e2');
	});
	test('are others for another index, corpus, mark or commitment', () => {
		const keys = [
			...Array.from({ length: 50 }, (_, index) => hex(index)),
			hex(0, spec, 'ce'.repeat(32)),
			hex(0, { ...spec, epoch: 1 }),
			hex(0, { ...spec, commitment: '06'.repeat(32) }),
			hex(0, { ...spec, commitment: null } as unknown as typeof spec),
		];
		expect(new Set(keys).size).toBe(keys.length);
	});
	test('are keys for the same PRF, and never the key of the mark', () => {
		const vllm = { ...spec, prf: 'philox4x32-10-v1' } as const;
		expect(heldOutKey(vllm, markId(vllm), digest, 0)).toHaveLength(8);
		expect(hex(0)).not.toBe(bytesToHex(deriveMarkKey(MASTER, choice)));
	});
});
