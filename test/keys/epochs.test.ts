/** What the keys of one epoch give away, and what they do not. */
import { hexToBytes } from '@noble/hashes/utils.js';
import { describe, expect, test } from 'vitest';
import { createMarker } from '../../src/embed/marker.js';
import { embeddedModel, embeddedPrompts, embeddedTokenizer } from '../../src/generate/embedded.js';
import { sampleTexts } from '../../src/generate/sample.js';
import { deriveKey, deriveMarkKey } from '../../src/keys/derive.js';
import { currentMarks, openEpoch, rotateKeys } from '../../src/keys/epochs.js';
import { createKeyring } from '../../src/keys/keyring.js';
import { bindOpenedMark, type OpenedMark } from '../../src/keys/opened-mark.js';
import { cohortMark, tracingMarks } from '../../src/marks/defaults.js';
import { newTrace } from '../../src/verify/trace.js';
import { refusal } from '../refusal.js';

const tokenizer = embeddedTokenizer();
const ring = createKeyring({ unsealed: true }, new Uint8Array(32).fill(5));
const templates = tracingMarks('acme', tokenizer.fingerprint);
for (const template of [...templates, cohortMark(templates[0], 'farms')]) ring.add(template);
ring.addArm('acme', 0);
rotateKeys(ring);

/** Every byte string of a file, from its hexadecimal fields. */
function secretsOf(opened: OpenedMark): Uint8Array[] {
	return [opened.key, opened.salt, opened.spec.commitment].flatMap((hex) => (hex ? hexToBytes(hex) : []));
}

describe('the next epoch', () => {
	test('has the same marks and arms under other keys', () => {
		expect(ring.marks.map(({ epoch, layer }) => [epoch, layer])).toEqual(
			[0, 1].flatMap((epoch) =>
				['deployment', 'deployment', 'account', 'cohort'].map((layer) => [epoch, layer]),
			),
		);
		expect(ring.arms.map(({ epoch }) => epoch)).toEqual([0, 1]);
		expect(new Set(ring.marks.map((spec) => ring.open(spec).key)).size).toBe(8);
	});
	test('is the one that is embedded', () => {
		expect(currentMarks(ring.marks).map(({ epoch }) => epoch)).toEqual([1, 1, 1, 1]);
	});
});

describe('an opened epoch', () => {
	const opened = openEpoch(ring, 0);
	const others = openEpoch(ring, 1);

	test('is that epoch and no other', () => {
		expect(opened.map(({ spec }) => spec.epoch)).toEqual([0, 0, 0, 0]);
		const text = JSON.stringify(opened);
		for (const { key, salt } of others) for (const secret of [key, salt]) expect(text).not.toContain(secret);
		expect(refusal(() => openEpoch(ring, 7))).toBe('this key ring has no mark of epoch 7');
	});
	test('lets an investigator trace what was served in it, to the same result, and nothing of the next', () => {
		const model = embeddedModel('teacher');
		const textsOf = (epoch: number) => {
			const marker = createMarker({
				marks: ring.marks.filter((spec) => spec.epoch === epoch).map((spec) => ring.bind(spec, 'verify')),
				vocabSize: model.vocabSize,
				specialTokens: tokenizer.specialTokens,
			});
			const prompts = embeddedPrompts().slice(0, 16);
			const starts = prompts.map((_, i) => ({ account: `account-${i % 4}`, cohort: 'farms' }));
			return [
				...sampleTexts({ model, tokenizer, marker, prompts, maxTokens: 112, seed: `${epoch}`, starts }),
			];
		};
		const served = [0, 1].map(textsOf);
		const accounts = Array.from({ length: 200 }, (_, i) => `account-${i}`);
		const theirs = opened.map((one) => bindOpenedMark(one, 'opened').mark);
		const ours = ring.marks.filter(({ epoch }) => epoch === 0).map((spec) => ring.bind(spec, 'verify'));
		const resultOf = (marks: typeof ours, epoch: number) => {
			const trace = newTrace({ marks, accounts });
			for (const text of served[epoch]) trace.add(text);
			return trace.result();
		};
		const result = resultOf(theirs, 0);
		expect(result).toEqual(resultOf(ours, 0));
		expect(result.accounts.map(({ account }) => account).sort()).toEqual(
			[0, 1, 2, 3].map((i) => `account-${i}`),
		);
		expect(result.cohorts[0]).toMatchObject({ cohort: 'farms', found: true });
		const next = resultOf(theirs, 1);
		expect(next.accounts).toEqual([]);
		expect(next.cohorts.filter(({ found }) => found)).toEqual([]);
	});
	test('derives no other key: not by any label of ours from anything in it', () => {
		const targets = new Set([
			...others.flatMap(({ key, salt }) => [key, salt]),
			Buffer.from(ring.publicKey).toString('hex'),
		]);
		const purposes = ['mark', 'arm', 'commitment-salt', 'sign', 'held-out'] as const;
		const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
		let tried = 0;
		for (const secret of opened.flatMap(secretsOf))
			for (const { spec } of others) {
				const { commitment: _, ...template } = spec;
				const found = [
					deriveMarkKey(secret, template),
					...purposes.flatMap((purpose) =>
						[template, spec, {}].map((subject) => deriveKey(secret, purpose, subject)),
					),
				];
				for (const key of found) expect(targets).not.toContain(hex(key));
				tried += found.length;
			}
		expect(tried).toBe(12 * 4 * 16);
		// The same labels do give the keys, from the master secret.
		const { commitment: _, ...template } = others[0].spec;
		expect(targets).toContain(hex(deriveMarkKey(new Uint8Array(32).fill(5), template)));
	});
	test('does not open another epoch’s commitments', () => {
		const forged = { ...opened[0], spec: others[0].spec };
		expect(refusal(() => bindOpenedMark(forged, 'forged'))).toBe(
			'forged: field "key": does not open the commitment of this mark',
		);
	});
});
