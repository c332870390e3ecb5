import { describe, expect, it, vi } from 'vitest';
import { commit, deriveMarkKey, heldOutKey } from '../../src/keys/derive.js';
import { createKeyring, openKeyring } from '../../src/keys/keyring.js';
import { defaultMarks } from '../../src/marks/defaults.js';
import { markId } from '../../src/marks/mark-spec.js';
import { scoreOfWindow } from '../../src/schemes/scheme.js';

const master = new Uint8Array(32).fill(1);
const [shape, choice] = defaultMarks('test', 'a'.repeat(64));

describe('derivation', () => {
	it('gives another key to another mark', () => {
		const templates = [
			shape,
			choice,
			{ ...shape, epoch: 1 },
			{ ...shape, contextWidth: 2 },
			{ ...shape, deployment: 'other' },
			{ ...shape, layer: 'cohort' as const, member: 'a' },
			{ ...shape, layer: 'cohort' as const, member: 'b' },
		];
		const keys = templates.map((template) => Buffer.from(deriveMarkKey(master, template)).toString('hex'));
		expect(new Set(keys).size).toBe(templates.length);
	});

	it('commits to key, salt and mark', () => {
		const key = deriveMarkKey(master, shape);
		const salt = new Uint8Array(32);
		const commitments = [
			commit(salt, key, shape),
			commit(salt, key, { ...shape, epoch: 1 }),
			commit(salt, deriveMarkKey(master, choice), shape),
			commit(new Uint8Array(32).fill(1), key, shape),
		];
		expect(new Set(commitments).size).toBe(4);
	});

	it('fixes held-out keys by mark, corpus and index', () => {
		const spec = { ...shape, commitment: 'b'.repeat(64) };
		const at = (digest: string, index: number) =>
			Buffer.from(heldOutKey(spec, markId(spec), digest, index)).toString('hex');
		expect(at('d', 0)).toBe(at('d', 0));
		expect(new Set([at('d', 0), at('d', 1), at('e', 0)]).size).toBe(3);
	});
});

describe('a sealed ring', () => {
	it('opens with its passphrase only, and its file holds no secret', { timeout: 120_000 }, async () => {
		const ring = createKeyring({ passphrase: 'correct horse' }, master);
		const spec = ring.add(shape);
		const file = JSON.parse(JSON.stringify(ring.toFile()));
		const text = JSON.stringify(file);
		expect(text).not.toContain(Buffer.from(master).toString('hex'));
		expect(text).not.toContain(Buffer.from(deriveMarkKey(master, shape)).toString('hex'));
		const again = await openKeyring(file, () => 'correct horse');
		expect(again.marks).toEqual([spec]);
		expect(scoreOfWindow(again.bind(spec, 'verify').scheme, [1], 2)).toBe(
			scoreOfWindow(ring.bind(spec, 'verify').scheme, [1], 2),
		);
		await expect(openKeyring(file, () => 'wrong')).rejects.toMatchObject({ code: 'bad-passphrase' });
		const box = file.secret.sealed.box as string;
		file.secret.sealed.box = `${box[0] === '0' ? '1' : '0'}${box.slice(1)}`;
		await expect(openKeyring(file, () => 'correct horse')).rejects.toMatchObject({ code: 'bad-passphrase' });
	});
});

describe('an unsealed ring', () => {
	it('asks for no passphrase', async () => {
		const source = vi.fn(() => '');
		await openKeyring(createKeyring({ unsealed: true }).toFile(), source);
		expect(source).not.toHaveBeenCalled();
	});

	it('refuses to embed with a key that is in no log', () => {
		const ring = createKeyring({ unsealed: true });
		const spec = ring.add(shape);
		expect(() => ring.bind(spec, 'embed')).toThrow(expect.objectContaining({ code: 'not-committed' }));
		expect(ring.bind(spec, 'verify').id).toBe(markId(spec));
		ring.recordLogged(spec, { index: 0, time: '2026-01-01T00:00:00Z', leaf: 'c'.repeat(64) });
		expect(ring.bind(spec, 'embed').id).toBe(markId(spec));
	});

	it('refuses marks of another ring, the same mark twice, and a file whose parts do not belong together', async () => {
		const ring = createKeyring({ unsealed: true });
		const other = createKeyring({ unsealed: true });
		const spec = ring.add(shape);
		expect(() => other.bind(spec, 'verify')).toThrow(/not in this key ring/);
		expect(() => ring.add(shape)).toThrow(/already/);
		const mixed = { ...other.toFile(), marks: ring.toFile().marks };
		const opened = await openKeyring(mixed, () => '');
		expect(() => opened.bind(spec, 'verify')).toThrow(/does not belong to the secret/);
		await expect(openKeyring({ ...ring.toFile(), publicKey: 'd'.repeat(64) }, () => '')).rejects.toThrow(
			/publicKey/,
		);
	});
});
