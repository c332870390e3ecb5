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
	 * @returns where it stands, once it is on disk under a signed head
	 * @throws (rejects) TouchmarkError as `LogWriter.append` does
	 */
	append(receipt: Receipt, account: Account | null): Promise<LoggedAt>;
}

/** @param log that this process writes */
export function newReceiptLog(log: LogWriter): ReceiptLog {
	/** Policies of this run: the index of each, or the promise of one. */
	const policies = new Map<string, number | Promise<number>>();
	function policyOf({ marks, unkeyedShare, temperature, time }: Receipt): number | Promise<number> {
		const name = `${marks.join()} ${unkeyedShare} ${temperature}`;
		const known = policies.get(name);
		if (known !== undefined) return known;
		const entry: PolicyEntry = { type: 'policy', version: 1, marks, unkeyedShare, temperature, time };
		const logged = log.append(entry).then(({ index }) => {
			policies.set(name, index);
			return index;
		});
		policies.set(name, logged);
		return logged;
	}
	return {
		async append(receipt, account) {
			const policy = policyOf(receipt);
			return log.append(receiptEntry(receipt, typeof policy === 'number' ? policy : await policy, account));
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
