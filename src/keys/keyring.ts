/**
 * The key ring: one master secret, the marks derived from it, and where each key's commitment was logged.
 *
 * The file is public but for its `secret`, which is sealed with a passphrase (or plain in rings made with
 * `unsealed`, meant for tests and demonstrations).
 *
 * @module
 */
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import nacl from 'tweetnacl';
import { z } from 'zod';
import { badInput, TouchmarkError } from '../errors.js';
import { checked, hexOf } from '../input.js';
import { type Arm, ArmSpec, type ArmTemplate, armId, bindArm } from '../marks/arm.js';
import { bindMark, type Mark } from '../marks/mark.js';
import { MarkSpec, type MarkTemplate, markId } from '../marks/mark-spec.js';
import { commit, deriveKey, deriveMarkKey } from './derive.js';
import { LoggedAt } from './logged-at.js';
import type { OpenedMark } from './opened-mark.js';
import { SealedSecret, seal, unseal } from './sealed.js';

/** The file. */
export const KeyringFile = z.strictObject({
	format: z.literal('touchmark-keyring'),
	version: z.literal(1),
	/** Ed25519 public key that signs receipts and tree heads, hexadecimal. */
	publicKey: hexOf(32),
	marks: z.array(z.strictObject({ spec: MarkSpec, logged: LoggedAt.nullable() })).max(100_000),
	/** Keys of coins for controlled exposure; absent in rings that have none. */
	arms: z
		.array(z.strictObject({ spec: ArmSpec, logged: LoggedAt.nullable() }))
		.max(100_000)
		.optional(),
	secret: z.union([z.strictObject({ sealed: SealedSecret }), z.strictObject({ unsealed: hexOf(32) })]),
});
export type KeyringFile = z.infer<typeof KeyringFile>;

/**
 * Gives the passphrase of a sealed ring when it is needed: a prompt, an environment variable, the output of
 * a command, a call to a key-management service.
 */
export type PassphraseSource = () => string | Promise<string>;

/** An open ring. Its master secret cannot be read from it. */
export interface Keyring {
	/** Ed25519 public key, 32 bytes. */
	readonly publicKey: Uint8Array;
	/** The marks, in the order of their creation. */
	readonly marks: readonly MarkSpec[];
	/** Derives a key for a new mark, commits to it and adds it. @throws TouchmarkError when it is invalid or exists */
	add(template: MarkTemplate): MarkSpec;
	/** The arms, in the order of their creation. */
	readonly arms: readonly ArmSpec[];
	/** Derives the key of a new arm, one for a deployment and epoch. @throws TouchmarkError when it exists */
	addArm(deployment: string, epoch: number): ArmSpec;
	/** An arm bound to its key; `use` as for {@link bind}. @throws TouchmarkError as {@link bind} does */
	bindArm(spec: ArmSpec, use: 'embed' | 'verify'): Arm;
	/** Where the commitment was logged, or null. @throws TouchmarkError for a mark or arm of another ring */
	logged(spec: MarkSpec | ArmSpec): LoggedAt | null;
	/** Records where the commitment was logged. */
	recordLogged(spec: MarkSpec | ArmSpec, at: LoggedAt): void;
	/**
	 * A mark bound to its key.
	 *
	 * @param use `embed` refuses keys whose commitment is in no log yet
	 * @throws TouchmarkError `not-committed`, or `bad-input` for a mark of another ring
	 */
	bind(spec: MarkSpec, use: 'embed' | 'verify'): Mark;
	/** A mark with its key, for export. Holds a secret. @throws TouchmarkError for a mark of another ring */
	open(spec: MarkSpec): OpenedMark;
	/**
	 * A key of the accounts file, 32 bytes: `seal` for the accounts' own keys, `name` for the hashes of their names. A
	 * secret, and the file is worth nothing without it.
	 */
	accountsKey(use: 'seal' | 'name'): Uint8Array;
	/** Salt of the fingerprints of an epoch's answers, 32 bytes. A secret: whoever has it can confirm a guess of a text. */
	fingerprintSalt(epoch: number): Uint8Array;
	/** Ed25519 signature, 64 bytes. */
	sign(message: Uint8Array): Uint8Array;
	/** The file, secret sealed as it was. */
	toFile(): KeyringFile;
}

function openWith(master: Uint8Array, file: Pick<KeyringFile, 'secret' | 'marks' | 'arms'>): Keyring {
	const signer = nacl.sign.keyPair.fromSeed(deriveKey(master, 'sign', {}));
	const marks = file.marks.map((entry) => ({ ...entry }));
	const arms = (file.arms ?? []).map((entry) => ({ ...entry }));

	function keyAndCommitment(template: MarkTemplate) {
		const key = deriveMarkKey(master, template);
		const salt = deriveKey(master, 'commitment-salt', template);
		return { key, salt, commitment: commit(salt, key, template) };
	}
	function entryOf(spec: MarkSpec) {
		const id = markId(spec);
		const entry = marks.find((candidate) => markId(candidate.spec) === id);
		if (entry === undefined) throw badInput(`mark ${id.slice(0, 16)}… is not in this key ring`);
		return entry;
	}
	function armKeyAndCommitment(template: ArmTemplate) {
		const key = deriveKey(master, 'arm', template);
		return { key, commitment: commit(deriveKey(master, 'commitment-salt', template), key, template) };
	}
	function armEntryOf(spec: ArmSpec) {
		const id = armId(spec);
		const entry = arms.find((candidate) => armId(candidate.spec) === id);
		if (entry === undefined) throw badInput(`arm ${id.slice(0, 16)}… is not in this key ring`);
		return entry;
	}
	const anyEntryOf = (spec: MarkSpec | ArmSpec) =>
		spec.channel === 'arm' ? armEntryOf(spec) : entryOf(spec);
	function mustBeLogged(what: string, at: LoggedAt | null): void {
		if (at === null)
			throw new TouchmarkError(
				'not-committed',
				`${what}… must be committed to a log before its first use; run \`touchmark keys commit\``,
			);
	}

	return {
		publicKey: signer.publicKey,
		get marks() {
			return marks.map((entry) => entry.spec);
		},
		add(given) {
			const { commitment: _, ...template } = checked(MarkSpec, { ...given, commitment: null }, 'mark');
			const { commitment } = keyAndCommitment(template);
			const spec: MarkSpec = { ...template, commitment };
			if (marks.some((entry) => entry.spec.commitment === commitment))
				throw badInput('this mark is in the key ring already; use another epoch, layer or member');
			marks.push({ spec, logged: null });
			return spec;
		},
		get arms() {
			return arms.map((entry) => entry.spec);
		},
		addArm(deployment, epoch) {
			const given = { version: 1, channel: 'arm', deployment, epoch };
			const { commitment: _, ...template } = checked(
				ArmSpec,
				{ ...given, commitment: '0'.repeat(64) },
				'arm',
			);
			const { commitment } = armKeyAndCommitment(template);
			const spec: ArmSpec = { ...template, commitment };
			if (arms.some((entry) => entry.spec.commitment === commitment))
				throw badInput('this arm is in the key ring already; use another epoch');
			arms.push({ spec, logged: null });
			return spec;
		},
		bindArm(spec, use) {
			const entry = armEntryOf(spec);
			const what = `arm ${armId(spec).slice(0, 16)}`;
			if (use === 'embed') mustBeLogged(what, entry.logged);
			const { commitment: _, ...template } = entry.spec;
			const { key, commitment } = armKeyAndCommitment(template);
			if (commitment !== entry.spec.commitment)
				throw badInput(`${what}… does not belong to the secret of this key ring`);
			return bindArm(entry.spec, key);
		},
		logged: (spec) => anyEntryOf(spec).logged,
		recordLogged(spec, at) {
			anyEntryOf(spec).logged = at;
		},
		bind(spec, use) {
			const entry = entryOf(spec);
			if (use === 'embed') mustBeLogged(`mark ${markId(spec).slice(0, 16)}`, entry.logged);
			const { commitment: _, ...template } = entry.spec;
			const { key, commitment } = keyAndCommitment(template);
			if (commitment !== entry.spec.commitment)
				throw badInput(`mark ${markId(spec).slice(0, 16)}… does not belong to the secret of this key ring`);
			return bindMark(entry.spec, key);
		},
		open(spec) {
			const entry = entryOf(spec);
			const { commitment: _, ...template } = entry.spec;
			const { key, salt } = keyAndCommitment(template);
			return {
				format: 'touchmark-opened-mark',
				version: 1,
				spec: entry.spec,
				key: bytesToHex(key),
				salt: bytesToHex(salt),
				logged: entry.logged,
			};
		},
		accountsKey: (use) => deriveKey(master, 'pseudonym', { use }),
		fingerprintSalt: (epoch) => deriveKey(master, 'fingerprint', { epoch }),
		sign: (message) => nacl.sign.detached(message, signer.secretKey),
		toFile: () => ({
			format: 'touchmark-keyring',
			version: 1,
			publicKey: bytesToHex(signer.publicKey),
			marks: marks.map((entry) => ({ ...entry })),
			...(arms.length === 0 ? {} : { arms: arms.map((entry) => ({ ...entry })) }),
			secret: file.secret,
		}),
	};
}

/**
 * A new ring.
 *
 * @param protection a passphrase, or `{ unsealed: true }` for tests and demonstrations
 * @param master 32 random bytes unless given (a seed makes a reproducible ring; tests only)
 */
export function createKeyring(
	protection: { passphrase: string } | { unsealed: true },
	master: Uint8Array = nacl.randomBytes(32),
): Keyring {
	const secret =
		'passphrase' in protection
			? { sealed: seal(master, protection.passphrase) }
			: { unsealed: bytesToHex(master) };
	return openWith(master, { secret, marks: [] });
}

/**
 * Opens a ring.
 *
 * @param file parsed JSON of a key ring file
 * @param passphrase asked only when the ring is sealed
 * @param where name of the file, for error messages
 * @throws TouchmarkError `bad-input`, `bad-passphrase`
 */
export async function openKeyring(
	file: unknown,
	passphrase: PassphraseSource,
	where = 'key ring',
): Promise<Keyring> {
	const valid = checked(KeyringFile, file, where);
	const master =
		'sealed' in valid.secret
			? unseal(valid.secret.sealed, await passphrase())
			: hexToBytes(valid.secret.unsealed);
	const ring = openWith(master, valid);
	if (bytesToHex(ring.publicKey) !== valid.publicKey)
		throw badInput(`${where}: field "publicKey" does not belong to the secret of this key ring`);
	return ring;
}
