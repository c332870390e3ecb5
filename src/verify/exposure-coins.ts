/**
 * Coins meet pairs: the only place where an exposure test learns which answer was served. Each coin is checked against
 * the log's record, if there is a log, and so are both texts.
 *
 * @module
 */
import { badInput } from '../errors.js';
import { type ArmRecord, checkCoin, type OpenedCoin } from '../marks/arm.js';
import { logBinomialUpperTail, type SignedPair } from '../stats/index.js';
import { ln } from '../stats/portable.js';
import { type Admitted, byName, type ExposurePair, type ExposureScore, receiptOf } from './exposure-data.js';

/** A pair with its coin. */
export interface TossedPair {
	readonly account: string | null;
	/** By how much the served answer scores higher; null for a tie. */
	readonly signed: SignedPair | null;
}

/** Every pair with its coin. */
export interface Tossed {
	readonly pairs: readonly TossedPair[];
	/** Accounts of requests in the trial that have no pair. */
	readonly missing: readonly (string | null)[];
	/** Seeded pairs whose served text was not what its seed gave again. */
	readonly replayMismatches: number;
	/** Whether the order of the texts tells the coin: side a was served so often or so seldom. */
	readonly orderTells: boolean;
}

/** Chance, of fair coins, of being taken for coins that the order tells. */
const ORDER_LEVEL = 1e-6;

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
	const byId = byName(coins, 'coin', ({ id }) => id);
	let replayMismatches = 0;
	let servedA = 0;
	const tossed = pairs.map((pair, i): TossedPair => {
		const coin = byId.get(pair.id) ?? byId.get(receiptOf(pair));
		if (coin === undefined) throw badInput(`pair "${pair.id}" has no coin; every pair needs one`);
		const record = records?.get(receiptOf(pair));
		if (record !== undefined) {
			checkRecord(pair, coin, record);
			if (record.mode === 'seeded' && record.replay === 'mismatch') replayMismatches++;
		}
		const { a, b } = scores[i];
		if (coin.served === 'a') servedA++;
		const difference = coin.served === 'a' ? a - b : b - a;
		const tie = pair.a === pair.b || difference === 0;
		return {
			account: pair.account,
			signed: tie ? null : { positive: difference > 0, magnitude: Math.abs(difference) },
		};
	});
	const known = new Set(given.flatMap((pair) => [pair.id, receiptOf(pair)]));
	const lost = records === undefined ? coins.filter(({ id }) => !known.has(id)).map(() => null) : [];
	const extreme = Math.max(servedA, pairs.length - servedA);
	return {
		pairs: tossed,
		missing: [...admitted.missing, ...lost],
		replayMismatches,
		orderTells: logBinomialUpperTail(extreme, pairs.length, 0.5) + Math.LN2 <= ln(ORDER_LEVEL),
	};
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
