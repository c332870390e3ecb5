/**
 * The arm channel: which of two complete answers a keyed coin serves (controlled exposure, docs/statistics.md).
 *
 * An arm key belongs to one deployment and epoch. From it each receipt id gets a key of its own, the coin's; all else
 * follows from that: whether the request is enrolled, the seeds that the answers are drawn from, the salt of their
 * hashes, the side that is served. The record holds a commitment to the coin's key, so that single coins can be opened
 * and checked without the arm key, and nobody can draw a salt, a seed or a coin again.
 *
 * @module
 */
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { z } from 'zod';
import { badInput } from '../errors.js';
import { hexOf } from '../input.js';
import { canonicalBytes, Name } from './mark-spec.js';

/** An arm as plain data: everything about it but its key. */
export const ArmSpec = z.strictObject({
	version: z.literal(1),
	channel: z.literal('arm'),
	deployment: Name,
	epoch: z.int().min(0),
	/** Salted hash of the key. */
	commitment: hexOf(32),
});
export type ArmSpec = z.infer<typeof ArmSpec>;

/** A spec before its key exists. */
export type ArmTemplate = Omit<ArmSpec, 'commitment'>;

/** Id of an arm: SHA-256 of its canonical form, hexadecimal. */
export function armId(spec: ArmSpec): string {
	return bytesToHex(sha256(canonicalBytes(spec)));
}

/** An arm bound to its key, which cannot be read back from it. */
export interface Arm {
	readonly spec: ArmSpec;
	readonly id: string;
	/** The coin of one receipt. */
	coin(receipt: string): Coin;
}

/** The two answers of a pair: `a` is the one whose hash (or whose seed's hash) comes first. */
export type Side = 'a' | 'b';

/** The coin of one receipt, opened. */
export interface Coin {
	/** What the record holds of it. */
	readonly commitment: string;
	/** Its key, 32 bytes in hexadecimal: the opening. */
	readonly opening: string;
	/** Uniform in [0, 1), 32 bits: the request is enrolled when it lies below the share. */
	readonly draw: number;
	/** Seeds of the two answers, in the order in which they are drawn. */
	readonly seeds: readonly [string, string];
	/** Salted hash of an answer (its text in UTF-8). */
	hash(text: string): string;
	/**
	 * The side that is served.
	 *
	 * @param settings digest of what the answers are drawn with
	 * @param hashes of the answers, or of the seeds, in ascending order
	 */
	side(settings: string, hashes: readonly [string, string]): Side;
}

/** Binds an arm to its key. @param key 32 bytes */
export function bindArm(spec: ArmSpec, key: Uint8Array): Arm {
	if (key.length !== 32) throw new RangeError(`an arm key has 32 bytes, not ${key.length}`);
	const id = armId(spec);
	return {
		spec,
		id,
		coin: (receipt) =>
			openCoin(hmac(sha256, key, canonicalBytes({ domain: 'touchmark/v1/coin', receipt })), id, receipt),
	};
}

/**
 * The coin that a key opens.
 *
 * @param key of the coin, 32 bytes
 * @param arm id of its arm
 */
export function openCoin(key: Uint8Array, arm: string, receipt: string): Coin {
	const derive = (subject: unknown) => hmac(sha256, key, canonicalBytes(subject));
	const salt = derive('salt');
	const subject = sha256(canonicalBytes({ arm, receipt }));
	return {
		commitment: bytesToHex(sha256(concatBytes(utf8ToBytes('touchmark/v1/coin-commitment\0'), subject, key))),
		opening: bytesToHex(key),
		draw: firstWord(derive('enrol')) / 2 ** 32,
		seeds: [bytesToHex(derive('seed 0')), bytesToHex(derive('seed 1'))],
		hash: (text) =>
			bytesToHex(sha256(concatBytes(utf8ToBytes('touchmark/v1/answer\0'), salt, utf8ToBytes(text)))),
		side: (settings, hashes) => ((derive({ settings, hashes })[0] & 1) === 0 ? 'a' : 'b'),
	};
}

function firstWord({ buffer, byteOffset }: Uint8Array): number {
	return new DataView(buffer, byteOffset).getUint32(0);
}

/** Hash of a seed. A seed is secret and has 256 bits, so it needs no salt. */
export function seedHash(seed: string): string {
	return bytesToHex(sha256(utf8ToBytes(`touchmark/v1/seed\0${seed}`)));
}

const Hashes = z.tuple([hexOf(32), hexOf(32)]);
const common = {
	version: z.literal(1),
	/** Id of the receipt of the answer that is served. */
	receipt: z.string().min(1).max(256),
	/** Id of the arm. */
	arm: hexOf(32),
	/** Pseudonym of the account, or null. */
	account: z.string().min(1).max(256).nullable(),
	/** Share of requests that is enrolled, as it stood for this one before its coin. */
	share: z.number().gt(0).max(1),
	/** SHA-256 of what the answers are drawn with: model version, sampling, limits. */
	settings: hexOf(32),
	/** Commitment to the coin's key. */
	commitment: hexOf(32),
	time: z.iso.datetime(),
};

/**
 * What the log holds of an enrolled request. It tells nobody which answer is served.
 *
 * - `complete`: both answers were finished first; `answers` are their salted hashes, ascending.
 * - `seeded`: two seeds were committed first (`seeds`: their hashes, ascending), and the chosen seed's answer was
 *   streamed. Once both answers are drawn from their seeds, the record is logged again with `answers` in the order of
 *   `seeds`, and `replay` says whether the served seed gave the served text again.
 */
export const ArmRecord = z.discriminatedUnion('mode', [
	z.strictObject({ ...common, mode: z.literal('complete'), answers: Hashes }),
	z.strictObject({
		...common,
		mode: z.literal('seeded'),
		seeds: Hashes,
		answers: Hashes.nullable(),
		replay: z.enum(['match', 'mismatch']).nullable(),
	}),
]);
export type ArmRecord = z.infer<typeof ArmRecord>;

/** The side that the coin serves of a record. */
export function servedSide(coin: Coin, record: ArmRecord): Side {
	return coin.side(record.settings, record.mode === 'complete' ? record.answers : record.seeds);
}

/** One line of a file of coins: which answer was served, and the key that opens the commitment. */
export const OpenedCoin = z.strictObject({
	/** Id of the pair, or of its receipt. */
	id: z.union([z.string().min(1), z.number()]).transform(String),
	served: z.enum(['a', 'b']),
	/** The coin's key, hexadecimal; absent where no coin was committed. */
	opening: hexOf(32).optional(),
});
export type OpenedCoin = z.infer<typeof OpenedCoin>;

/**
 * Opens the coins of these records and of no others.
 *
 * @throws TouchmarkError `bad-input` for a record of another arm
 */
export function openCoins(arm: Arm, records: readonly ArmRecord[]): OpenedCoin[] {
	return records.map((record) => {
		const coin = arm.coin(record.receipt);
		if (record.arm !== arm.id || record.commitment !== coin.commitment)
			throw badInput(`receipt "${record.receipt}": its coin belongs to another arm`);
		return { id: record.receipt, served: servedSide(coin, record), opening: coin.opening };
	});
}

/**
 * Checks an opened coin against its record.
 *
 * @returns the coin
 * @throws TouchmarkError `bad-input` that says what does not fit: the opening, the share, or the side
 */
export function checkCoin(opened: OpenedCoin, record: ArmRecord): Coin {
	const where = `coin of "${record.receipt}"`;
	if (opened.opening === undefined) throw badInput(`${where}: field "opening" is missing`);
	const coin = openCoin(hexToBytes(opened.opening), record.arm, record.receipt);
	if (coin.commitment !== record.commitment)
		throw badInput(`${where}: does not open the commitment of its record`);
	if (!(coin.draw < record.share))
		throw badInput(`${where}: would not have enrolled the request at a share of ${record.share}`);
	if (record.mode === 'seeded') {
		const seeds = coin.seeds.map(seedHash).sort();
		if (seeds.join() !== record.seeds.join())
			throw badInput(`${where}: the seeds are not those of its record`);
	}
	if (servedSide(coin, record) !== opened.served)
		throw badInput(`${where}: gives the other answer than "${opened.served}"`);
	return coin;
}
