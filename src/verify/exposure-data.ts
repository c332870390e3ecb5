/**
 * What an exposure trial is read from: pairs, scores, the log's records; and which pairs may be tested. Nothing in this
 * file sees a coin, so nothing that is dropped here depends on one.
 *
 * @module
 */
import { z } from 'zod';
import { badInput } from '../errors.js';
import type { ArmRecord } from '../marks/arm.js';

const Id = z.union([z.string().min(1), z.number()]).transform(String);

/** One request with both answers, in the order that the record gives them; it says nothing of which was served. */
export const ExposurePair = z.strictObject({
	id: Id,
	/** Pseudonym of the account that asked. */
	account: Id.nullable().default(null),
	prompt: z.string().default(''),
	a: z.string(),
	b: z.string(),
	/** Id of its receipt; the pair's own id unless given. */
	receipt: Id.optional(),
});
export type ExposurePair = z.infer<typeof ExposurePair>;

/** What a measure said of both texts. Unknown fields are refused: whoever measures must not have known the coin. */
export const ExposureScore = z.strictObject({ id: Id, a: z.number(), b: z.number() });
export type ExposureScore = z.infer<typeof ExposureScore>;

/** A text that was served on another occasion. */
export const ServedText = z.looseObject({
	/** Id of its receipt: a pair's own served answer is not one served elsewhere. */
	id: Id.optional(),
	text: z.string(),
});
export type ServedText = z.infer<typeof ServedText>;

/** The material of a trial. */
export interface ExposureInput {
	readonly pairs: readonly ExposurePair[];
	/** The log's records of the trial. With them pairs, coins and completeness are checked; without, assumed. */
	readonly records?: readonly ArmRecord[];
	/** Texts that reached somebody outside the trial; pairs that hold one are left out. */
	readonly servedElsewhere?: Iterable<ServedText>;
	/** Accounts that are not suspected: tested apart, as controls. */
	readonly controlAccounts?: readonly string[];
	/** The second answers were drawn afterwards, from the same model and settings, without a coin. */
	readonly retrospective?: boolean;
	/**
	 * A rule by which pairs of the log were left out, in words; it must treat both texts alike and must have been fixed
	 * before the coins were opened. With it missing pairs are not counted as lost.
	 */
	readonly rule?: string;
}

/** Pairs that may be tested, and what became of the others. */
export interface Admitted {
	readonly pairs: readonly ExposurePair[];
	/** Records by receipt; undefined where there is no log. */
	readonly records: ReadonlyMap<string, ArmRecord> | undefined;
	/** Left out because a text occurs in another pair too. */
	readonly repeated: number;
	/** Left out because a text was served elsewhere. */
	readonly leaked: number;
	/** Accounts (null among them) of logged requests without a pair. */
	readonly missing: readonly (string | null)[];
	/** Whether the log holds accounts that no pair belongs to. */
	readonly otherAccounts: boolean;
}

/** Id of a pair's receipt. */
export function receiptOf({ id, receipt }: ExposurePair): string {
	return receipt ?? id;
}

/** Items by a name of theirs. @throws TouchmarkError `bad-input` when two have one name */
export function byName<T>(items: readonly T[], what: string, nameOf: (item: T) => string): Map<string, T> {
	const found = new Map<string, T>();
	for (const item of items) {
		const name = nameOf(item);
		if (found.has(name)) throw badInput(`${what} "${name}" occurs twice`);
		found.set(name, item);
	}
	return found;
}

/**
 * The log's last word on each receipt.
 *
 * @throws TouchmarkError `bad-input` when two records of one receipt do not agree: its answers were drawn again
 */
function latestRecords(records: readonly ArmRecord[]): Map<string, ArmRecord> {
	const latest = new Map<string, ArmRecord>();
	for (const record of records) {
		const earlier = latest.get(record.receipt);
		const completes =
			earlier?.mode === 'seeded' &&
			record.mode === 'seeded' &&
			(earlier.answers === null || earlier.answers.join() === record.answers?.join()) &&
			fixedPart(earlier) === fixedPart(record);
		if (earlier !== undefined && !completes)
			throw badInput(`records of receipt "${record.receipt}" do not agree: its answers were drawn again`);
		latest.set(record.receipt, record);
	}
	return latest;
}

/** What a second record of a receipt may not change. */
function fixedPart(record: Extract<ArmRecord, { mode: 'seeded' }>): string {
	const { arm, account, share, settings, commitment, seeds } = record;
	return JSON.stringify([arm, account, share, settings, commitment, seeds]);
}

/**
 * Which pairs may be tested. A text that occurs in two pairs, or elsewhere, may have been served although its pair's
 * coin said otherwise; both rules look at texts only.
 *
 * @throws TouchmarkError `bad-input` for ids or receipts that occur twice, and pairs that are not in the log
 */
export function admitPairs(input: ExposureInput): Admitted {
	const { pairs, servedElsewhere = [] } = input;
	if (pairs.length === 0) throw badInput('there is no pair to test');
	byName(pairs, 'pair', ({ id }) => id);
	const receipts = byName(pairs, 'receipt', receiptOf);

	const occurrences = new Map<string, Set<string>>();
	for (const { id, a, b } of pairs)
		for (const text of [a, b]) occurrences.set(text, (occurrences.get(text) ?? new Set()).add(id));
	const leaks = new Set<string>();
	for (const { id, text } of servedElsewhere)
		for (const pair of occurrences.get(text) ?? [])
			if (id === undefined || receipts.get(id)?.id !== pair) leaks.add(pair);
	const isRepeated = ({ a, b }: ExposurePair) =>
		[a, b].some((text) => (occurrences.get(text)?.size ?? 0) > 1);

	const records = input.records === undefined ? undefined : latestRecords(input.records);
	if (records !== undefined) {
		const unknown = pairs.find((pair) => !records.has(receiptOf(pair)));
		if (unknown !== undefined) throw badInput(`pair "${unknown.id}" is not in the log of the trial`);
	}
	const accounts = new Set(pairs.map(({ account }) => account));
	const logged = [...(records?.values() ?? [])];
	return {
		pairs: pairs.filter((pair) => !isRepeated(pair) && !leaks.has(pair.id)),
		records,
		repeated: pairs.filter(isRepeated).length,
		leaked: pairs.filter((pair) => !isRepeated(pair) && leaks.has(pair.id)).length,
		missing: logged
			.filter(({ account, receipt }) => accounts.has(account) && !receipts.has(receipt))
			.map(({ account }) => account),
		otherAccounts: logged.some(({ account }) => !accounts.has(account)),
	};
}
