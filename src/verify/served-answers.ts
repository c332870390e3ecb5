/**
 * The served answers of a log, as far as they left fingerprints: what records of a dataset are held against.
 *
 * @module
 */
import { badInput } from '../errors.js';
import type { FingerprintSalt } from '../fingerprints/fingerprints.js';
import { decodeFingerprints } from '../fingerprints/index.js';
import type { ReceiptEntry } from '../ledger/entry.js';
import { visitLog } from '../ledger/read-log.js';
import { type NearVerbatim, nearVerbatim, strike } from './near-verbatim.js';
import { newServedIndex, type ServedIndexBuilder } from './served-index.js';

/** A match, with the place of the answer's receipt in the log. */
export interface ServedMatch extends Omit<NearVerbatim, 'answer'> {
	/** Index of the receipt's entry. */
	readonly entry: number;
}

/** Answers of a log. */
export interface ServedAnswers {
	/** Answers with fingerprints under the salts, and without. */
	readonly answers: number;
	readonly withoutFingerprints: number;
	/** Fingerprints that are looked up, and those that more than ten answers share, which are not. */
	readonly fingerprints: number;
	readonly common: number;
	/** Leaves out what these words say too: text of which it is known that it does not come from here. */
	strike(text: string): void;
	/** Answers that a record holds nearly word for word, those with the highest score first. */
	matches(text: string): ServedMatch[];
	/** Reads the receipts of these entries from the log again. */
	receipts(entries: ReadonlySet<number>): Map<number, ReceiptEntry>;
}

/** Answers under one salt. */
interface Salted {
	readonly salt: FingerprintSalt;
	readonly builder: ServedIndexBuilder;
	readonly entries: number[];
}

/**
 * Reads them.
 *
 * @param folder the log; checked against its newest head
 * @param salts of the epochs that come into question
 * @throws TouchmarkError as `visitLog` does; `bad-input` when no answer has fingerprints under these salts
 */
export function readServedAnswers(folder: string, salts: readonly FingerprintSalt[]): ServedAnswers {
	const salted = new Map<string, Salted>(
		salts.map((salt) => [salt.id, { salt, builder: newServedIndex(), entries: [] }]),
	);
	const policies = new Map<number, string | undefined>();
	let withoutFingerprints = 0;
	visitLog(folder, ['policy', 'receipt'], (entry, at) => {
		if (entry.type === 'policy') {
			policies.set(at, entry.fingerprints);
			return;
		}
		const of = salted.get(policies.get(entry.policy) ?? '');
		if (entry.fingerprints === undefined || of === undefined) {
			withoutFingerprints++;
			return;
		}
		of.builder.add(decodeFingerprints(entry.fingerprints));
		of.entries.push(at);
	});
	const used = [...salted.values()].filter(({ entries }) => entries.length > 0);
	if (used.length === 0)
		throw badInput(
			`${folder}: none of its ${withoutFingerprints} receipts has fingerprints under the given salts; they must be logged when an answer is served`,
		);
	const indexed = used.map(({ salt, builder, entries }) => ({ salt, index: builder.build(), entries }));
	const sum = (of: (one: (typeof indexed)[number]) => number) =>
		indexed.reduce((total, one) => total + of(one), 0);
	return {
		answers: sum(({ entries }) => entries.length),
		withoutFingerprints,
		get fingerprints() {
			return sum(({ index }) => index.size);
		},
		common: sum(({ index }) => index.common),
		strike(text) {
			for (const { salt, index } of indexed) strike(text, salt, index);
		},
		matches: (text) =>
			indexed
				.flatMap(({ salt, index, entries }) =>
					nearVerbatim(text, salt, index).map(({ answer, ...match }) => ({
						entry: entries[answer],
						...match,
					})),
				)
				.sort((one, other) => other.score - one.score),
		receipts(entries) {
			const found = new Map<number, ReceiptEntry>();
			visitLog(folder, ['receipt'], (entry, at) => {
				if (entries.has(at)) found.set(at, entry);
			});
			return found;
		},
	};
}
