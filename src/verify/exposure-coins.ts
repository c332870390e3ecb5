/**
 * Coins meet pairs: the only place where an exposure test learns which answer was served. Each coin is checked against
 * the log's record, if there is a log, and so are both texts.
 *
 * @module
 */
import { badInput } from '../errors.js';
import { type ArmRecord, checkCoin, type OpenedCoin, type Side } from '../marks/arm.js';
import type { SignedPair } from '../stats/index.js';
import { type Admitted, byName, type ExposurePair, type ExposureScore, receiptOf } from './exposure-data.js';

/** A pair with its coin. */
export interface TossedPair {
	readonly account: string | null;
	readonly served: Side;
	/** By how much the served answer scores higher; null for a tie. */
	readonly signed: SignedPair | null;
}

/** Every pair with its coin. */
export interface Tossed {
	readonly pairs: readonly TossedPair[];
	/** Accounts of requests in the trial that have no pair; null where the account is not known. */
	readonly missing: readonly (string | null)[];
	/** Seeded pairs whose served text was not what its seed gave again. */
	readonly replayMismatches: number;
}

/**
 * Looks up and checks the coin of every pair.
 *
 * @param scores one a pair, in the same order
 * @throws TouchmarkError `bad-input` as `ScoredExposure.open` says
 */
export function tossPairs(
	admitted: Admitted,
	given: readonly ExposurePair[],
	scores: readonly ExposureScore[],
	coins: readonly OpenedCoin[],
): Tossed {
	const { pairs, records } = admitted;
	const coinOf = coinsByPair(given, coins);
	let replayMismatches = 0;
	const tossed = pairs.map((pair, i): TossedPair => {
		const coin = coinOf.get(pair.id);
		if (coin === undefined) throw badInput(`pair "${pair.id}" has no coin; every pair needs one`);
		const record = records?.get(receiptOf(pair));
		if (record !== undefined) {
			checkRecord(pair, coin, record);
			if (record.mode === 'seeded' && record.replay === 'mismatch') replayMismatches++;
		}
		const { a, b } = scores[i];
		const difference = coin.served === 'a' ? a - b : b - a;
		const tie = pair.a === pair.b || difference === 0;
		return {
			account: pair.account,
			served: coin.served,
			signed: tie ? null : { positive: difference > 0, magnitude: Math.abs(difference) },
		};
	});
	const lost = records === undefined ? Array.from({ length: coins.length - coinOf.size }, () => null) : [];
	return { pairs: tossed, missing: [...admitted.missing, ...lost], replayMismatches };
}

/**
 * The coin of each pair, by the pair's id. A coin bears the id of its receipt, or that of its pair where this is no
 * receipt's, so that no coin serves two pairs.
 *
 * @throws TouchmarkError `bad-input` for a pair with two coins
 */
export function coinsByPair(
	pairs: readonly ExposurePair[],
	coins: readonly OpenedCoin[],
): ReadonlyMap<string, OpenedCoin> {
	const byId = byName(coins, 'coin', ({ id }) => id);
	const receipts = new Set(pairs.map(receiptOf));
	const found = new Map<string, OpenedCoin>();
	for (const pair of pairs) {
		const ofReceipt = byId.get(receiptOf(pair));
		const ofPair = receipts.has(pair.id) ? undefined : byId.get(pair.id);
		if (ofReceipt !== undefined && ofPair !== undefined)
			throw badInput(`pair "${pair.id}" has two coins: one under its id, one under its receipt`);
		const coin = ofReceipt ?? ofPair;
		if (coin !== undefined) found.set(pair.id, coin);
	}
	return found;
}

/** Coin, texts and account are those of the log. */
function checkRecord(pair: ExposurePair, opened: OpenedCoin, record: ArmRecord): void {
	const coin = checkCoin(opened, record);
	if (pair.account !== record.account)
		throw badInput(`pair "${pair.id}": field "account" is not that of its record`);
	if (record.answers === null)
		throw badInput(`pair "${pair.id}": its record has no answers yet; draw both from their seeds first`);
	for (const [i, side] of (['a', 'b'] as const).entries())
		if (coin.hash(pair[side]) !== record.answers[i])
			throw badInput(
				`pair "${pair.id}": field "${side}" is not the answer of its record, whole and in its order`,
			);
}
