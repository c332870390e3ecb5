/**
 * Receipts on their way into the log: what a session says of a response becomes a compact entry.
 *
 * What applied to many responses alike (marks, unkeyed share, temperature) is logged once as a policy, and receipts
 * name its index. The salt of the output's hash does not go along: with it anybody could confirm a guess of the text.
 * It stays with the full receipt, which whoever holds the text can open to show that this was the output.
 *
 * @module
 */
import type { Receipt } from '../embed/receipt.js';
import { badInput } from '../errors.js';
import { encodedFingerprints, type FingerprintSalt } from '../fingerprints/fingerprints.js';
import type { Account } from '../keys/accounts.js';
import type { LoggedAt } from '../keys/logged-at.js';
import type { PolicyEntry, ReceiptEntry } from './entry.js';
import type { LogWriter } from './log.js';

/** Logs receipts. */
export interface ReceiptLog {
	/**
	 * Logs a receipt. Wait for it before the log is closed.
	 *
	 * @param account whose request it was (`openAccounts`); null where that is not known
	 * @param answer what was served, and what its author was given: for its fingerprints. Neither text is logged
	 * @returns where it stands, once it is on disk under a signed head
	 * @throws (rejects) TouchmarkError as `LogWriter.append` does; `bad-input` for an answer where there is no salt
	 */
	append(receipt: Receipt, account: Account | null, answer?: ServedAnswer): Promise<LoggedAt>;
}

/** The texts of an answer. */
export interface ServedAnswer {
	readonly text: string;
	/** System prompt, earlier turns, question. */
	readonly prompt?: string;
}

/**
 * @param log that this process writes
 * @param salt where answers are to leave fingerprints: `bindSalt(ring.fingerprintSalt(epoch))`
 */
export function newReceiptLog(log: LogWriter, salt?: FingerprintSalt): ReceiptLog {
	/** Policies of this run: the index of each, or the promise of one. */
	const policies = new Map<string, number | Promise<number>>();
	function policyOf({ marks, unkeyedShare, temperature, time }: Receipt): number | Promise<number> {
		const name = `${marks.join()} ${unkeyedShare} ${temperature}`;
		const known = policies.get(name);
		if (known !== undefined) return known;
		const entry: PolicyEntry = {
			type: 'policy',
			version: 1,
			marks,
			unkeyedShare,
			temperature,
			...(salt === undefined ? {} : { fingerprints: salt.id }),
			time,
		};
		const logged = log.append(entry).then(({ index }) => {
			policies.set(name, index);
			return index;
		});
		policies.set(name, logged);
		return logged;
	}
	return {
		async append(receipt, account, answer) {
			if (answer !== undefined && salt === undefined)
				throw badInput(`receipt "${receipt.id}": its text is given, but this log was opened without a salt`);
			const fingerprints =
				answer === undefined || salt === undefined
					? ''
					: encodedFingerprints(answer.text, salt, answer.prompt);
			const policy = policyOf(receipt);
			const entry = receiptEntry(receipt, typeof policy === 'number' ? policy : await policy, account);
			return log.append(fingerprints === '' ? entry : { ...entry, fingerprints });
		},
	};
}

/** The entry of a receipt. @param policy index of its policy */
export function receiptEntry(receipt: Receipt, policy: number, account: Account | null): ReceiptEntry {
	const { id, status, tokens, segments, outputHash, time, selection } = receipt;
	const sum = (of: 'tilted' | 'keyed') => segments.reduce((total, segment) => total + segment[of], 0);
	return {
		type: 'receipt',
		id,
		...(account === null ? {} : { tag: account.tag(id) }),
		policy,
		tokens: [tokens, sum('tilted'), sum('keyed')],
		hash: outputHash,
		time,
		...(status === 'aborted' ? { aborted: true } : {}),
		...(isPlain(receipt) ? {} : { segments }),
		...(selection === undefined ? {} : { selection }),
	};
}

/** Nothing but one marked answer: its counts say all. */
function isPlain({ segments }: Receipt): boolean {
	const [only] = segments;
	return segments.length === 1 && only.reason === 'answer' && only.marked && only.choice === undefined;
}
