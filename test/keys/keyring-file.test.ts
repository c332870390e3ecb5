/** Key ring files: what a changed one does, and that no secret comes out of any of them. */
import { bytesToHex } from '@noble/hashes/utils.js';
import nacl from 'tweetnacl';
import { describe, expect, it } from 'vitest';
import { TouchmarkError } from '../../src/errors.js';
import { parseJson } from '../../src/input.js';
import { deriveKey, deriveMarkKey } from '../../src/keys/derive.js';
import { createKeyring, type KeyringFile, openKeyring } from '../../src/keys/keyring.js';
import { defaultMarks } from '../../src/marks/defaults.js';
import { type MarkTemplate, markId } from '../../src/marks/mark-spec.js';
import { scoreOfWindow } from '../../src/schemes/scheme.js';

const MASTER = Uint8Array.from({ length: 32 }, (_, i) => (37 * i + 11) % 256);
const PASSPHRASE = 'only for this test';
const [usual, choice] = defaultMarks('acme', 'ab'.repeat(32));
const shape: MarkTemplate = { ...usual, scheme: { name: 'kgw', gamma: 0.25, delta: 2 } };
const AT = { index: 4, time: '2026-11-24T00:00:00.000Z', leaf: 'ee'.repeat(32) };
const SECRETS = [
	MASTER,
	deriveMarkKey(MASTER, shape),
	deriveMarkKey(MASTER, choice),
	deriveKey(MASTER, 'sign', {}),
];

/** One ring with a passphrase (a second of scrypt), and the same without, for everything else. */
const sealedFile = (() => {
	const ring = createKeyring({ passphrase: PASSPHRASE }, MASTER);
	ring.recordLogged(ring.add(shape), AT);
	ring.add(choice);
	return ring.toFile();
})();
const plainFile: KeyringFile = { ...sealedFile, secret: { unsealed: bytesToHex(MASTER) } };

const noPassphrase = () => expect.unreachable('the passphrase was asked');
const copyOf = (file: KeyringFile): KeyringFile => JSON.parse(JSON.stringify(file));

function expectNoSecret(text: string): void {
	for (const secret of SECRETS) {
		const hex = bytesToHex(secret);
		for (const part of [hex.slice(0, 12), hex.slice(20, 32), hex.slice(-12)])
			expect(text).not.toContain(part);
		expect(text).not.toContain(Buffer.from(secret).toString('base64').slice(0, 12));
		expect(text).not.toContain([...secret.slice(0, 6)].join());
	}
	expect(text).not.toContain(PASSPHRASE);
}
/** The error of an attempt, which must be one sentence without any secret. */
async function failure(attempt: () => unknown): Promise<TouchmarkError> {
	try {
		await attempt();
	} catch (error) {
		if (!TouchmarkError.isInstance(error)) throw error;
		expect(error.message).not.toContain('\n');
		expectNoSecret(`${error.message} ${JSON.stringify(error)}`);
		return error;
	}
	return expect.unreachable('it did not fail');
}

describe('secrets', () => {
	it('are in no sealed file, no open ring and no bound mark', () => {
		const ring = createKeyring({ unsealed: true }, MASTER);
		ring.recordLogged(ring.add(choice), AT);
		expectNoSecret(JSON.stringify(sealedFile));
		expectNoSecret(JSON.stringify([ring, ring.marks, ring.bind(ring.marks[0], 'embed')]));
	});
	it('are in no error about a file that is broken in the middle of its secret', async () => {
		const text = JSON.stringify(plainFile);
		const at = text.indexOf('"unsealed":"') + 12;
		const broken = [
			text.slice(0, at + 40),
			`${text.slice(0, at + 40)}\n${text.slice(at + 40)}`,
			`${text.slice(0, at - 1)}${text.slice(at)}`,
			`${text.slice(0, at + 30)}"${text.slice(at + 30)}`,
			`${text.slice(0, at + 30)}\\${text.slice(at + 30)}`,
			text.slice(at),
		];
		for (const [i, content] of broken.entries()) {
			const error = await failure(() => parseJson(content, 'ring.json'));
			expect(error.message, `${i}`).toMatch(/^ring\.json: is not valid JSON/);
		}
	});
	it('are in no error about a secret of the wrong form', async () => {
		for (const unsealed of [
			bytesToHex(MASTER).toUpperCase(),
			bytesToHex(MASTER).slice(2),
			`${bytesToHex(MASTER)} `,
		]) {
			const error = await failure(() =>
				openKeyring({ ...plainFile, secret: { unsealed } }, noPassphrase, 'ring.json'),
			);
			expect(error.message).toMatch(/^ring\.json: field "secret/);
		}
	});
	it('stay closed to another passphrase, and the error is one sentence', async () => {
		const error = await failure(() => openKeyring(copyOf(sealedFile), () => `${PASSPHRASE}!`));
		expect(error.code).toBe('bad-passphrase');
	});
	it('open from a passphrase that arrives later; file and marks are as they were', async () => {
		const ring = await openKeyring(copyOf(sealedFile), () => Promise.resolve(PASSPHRASE));
		expect(ring.toFile()).toEqual(sealedFile);
		expect(ring.logged(ring.marks[0])).toEqual(AT);
		expect(ring.logged(ring.marks[1])).toBeNull();
	});
	it('a failing source of passphrases is not hidden', async () => {
		const asked = openKeyring(sealedFile, () => Promise.reject(new Error('the vault is shut')));
		await expect(asked).rejects.toThrow('the vault is shut');
	});
});

describe('a file that was changed', () => {
	it.each<[string, RegExp, object]>([
		['another public key', /^my-ring: field "publicKey"/, { publicKey: 'aa'.repeat(32) }],
		['another secret', /^my-ring: field "publicKey"/, { secret: { unsealed: 'aa'.repeat(32) } }],
		['no secret', /^my-ring: field "secret"/, { secret: null }],
		['a mark without a spec', /^my-ring: field "marks.0/, { marks: [{ logged: null }] }],
		['a weak cost', /^my-ring: field "secret/, { secret: { sealed: { n: 2 } } }],
		['an unknown field', /^my-ring: .*"note"/, { note: 1 }],
		['another format', /^my-ring: field "format"/, { format: 'x' }],
		['another version', /^my-ring: field "version"/, { version: 2 }],
	])('%s is refused at opening, and no passphrase is asked', async (_what, sentence, change) => {
		const error = await failure(() => openKeyring({ ...plainFile, ...change }, noPassphrase, 'my-ring'));
		expect(error.code).toBe('bad-input');
		expect(error.message).toMatch(sentence);
	});
	it.each<[string, object]>([
		['epoch', { epoch: 5 }],
		['context width', { contextWidth: 2 }],
		['commitment', { commitment: 'bb'.repeat(32) }],
		['no commitment', { commitment: null }],
		['strength', { scheme: { name: 'kgw', gamma: 0.25, delta: 4 } }],
		['deployment', { deployment: 'rival' }],
	])('a mark with another %s opens but does not bind, even to verify', async (_what, change) => {
		const file = copyOf(plainFile);
		Object.assign(file.marks[0].spec, change);
		const ring = await openKeyring(file, noPassphrase);
		for (const use of ['verify', 'embed'] as const) {
			const error = await failure(() => ring.bind(ring.marks[0], use));
			expect(error.message).toMatch(/does not belong to the secret/);
		}
	});
	it.each([
		['null', null],
		['a list', []],
		['text', 'x'],
		['an empty object', {}],
	])('%s is no key ring', async (_what, file) => {
		expect((await failure(() => openKeyring(file, noPassphrase, 'f.json'))).message).toMatch(/^f\.json: /);
	});
});

describe('marks', () => {
	it('that are invalid are refused in one sentence, and nothing is added', async () => {
		const ring = createKeyring({ unsealed: true }, MASTER);
		const invalid: [object, RegExp][] = [
			[{ ...shape, deployment: 'two words' }, /^mark: field "deployment"/],
			[{ ...shape, prf: 'rot13' }, /^mark: field "prf"/],
			[{ ...shape, channel: 'choice' }, /^mark: field "channel"/],
			[{ ...shape, note: 1 }, /^mark: .*"note"/],
		];
		for (const [template, sentence] of invalid)
			expect((await failure(() => ring.add(template as MarkTemplate))).message).toMatch(sentence);
		expect(ring.marks).toEqual([]);
	});
	it('given with a commitment get one of this ring', () => {
		const ring = createKeyring({ unsealed: true }, MASTER);
		const spec = ring.add({ ...shape, commitment: 'bb'.repeat(32) } as MarkTemplate);
		expect(spec.commitment).toBe(sealedFile.marks[0].spec.commitment);
		expect(ring.bind(spec, 'verify').id).toBe(markId(spec));
	});
	it('of another ring are known to none of its methods', async () => {
		const spec = createKeyring({ unsealed: true }).add(shape);
		const ring = createKeyring({ unsealed: true }, MASTER);
		ring.add(shape);
		for (const attempt of [
			() => ring.bind(spec, 'verify'),
			() => ring.logged(spec),
			() => ring.recordLogged(spec, AT),
		])
			expect((await failure(attempt)).message).toMatch(/not in this key ring/);
	});
	it('of different epochs score the same pairs independently', () => {
		const ring = createKeyring({ unsealed: true }, MASTER);
		const [one, two] = [0, 1].map((epoch) => ring.bind(ring.add({ ...shape, epoch }), 'verify').scheme);
		let same = 0;
		for (let token = 0; token < 8000; token++)
			same += Number(scoreOfWindow(one, [5], token) === scoreOfWindow(two, [5], token));
		// Green with probability ¼: the same colour with probability 10/16; five standard deviations.
		expect(Math.abs(same / 8000 - 0.625)).toBeLessThan(5 * Math.sqrt((0.625 * 0.375) / 8000));
	});
});

it('rings of one master are one ring; without a master each is fresh', () => {
	const rings = [MASTER, MASTER, undefined, undefined].map((master) =>
		createKeyring({ unsealed: true }, master),
	);
	expect(new Set(rings.map((ring) => bytesToHex(ring.publicKey))).size).toBe(3);
});

it('signatures verify under the public key, for that message only', () => {
	const ring = createKeyring({ unsealed: true }, MASTER);
	const message = new TextEncoder().encode('a tree head');
	const signature = ring.sign(message);
	expect(nacl.sign.detached.verify(message, signature, ring.publicKey)).toBe(true);
	expect(nacl.sign.detached.verify(message.subarray(1), signature, ring.publicKey)).toBe(false);
	const other = createKeyring({ unsealed: true }).publicKey;
	expect(nacl.sign.detached.verify(message, signature, other)).toBe(false);
});
