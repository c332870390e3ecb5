/**
 * What a bundle's log shows: that keys were committed, in whose log, by when, and before whom.
 *
 * @module
 */
import { hexToBytes } from '@noble/hashes/utils.js';
import { verifyConsistency } from '../ledger/proofs.js';
import { checkProof, type InclusionProof } from '../ledger/prove.js';
import { checkTimestamp } from '../ledger/timestamp.js';
import { isSignedHead } from '../ledger/tree-head.js';
import { canonicalBytes } from '../marks/mark-spec.js';
import { type Check, failed, notCheckable, passed, sentenceOf } from './checks.js';
import type { EvidencePredicate, LogEvidence } from './statement.js';
import type { Trust } from './trust.js';

/** Whether the commitments of all keys are in the log. */
export function checkCommitments({ marks, log }: EvidencePredicate): Check {
	if (marks.length === 0) return notCheckable('commitments', 'no-marks', 'no mark was tested');
	if (log === null)
		return notCheckable(
			'commitments',
			'no-log',
			'no log is in the bundle, so that keys may have been chosen afterwards',
		);
	if (log.commitments.length !== marks.length)
		return failed('commitments', 'inclusion-proof-invalid', 'there is not one entry for each mark');
	let missing = 0;
	for (const [i, { id }] of marks.entries()) {
		const proof = log.commitments[i];
		const mark = `mark ${id.slice(0, 16)}…`;
		if (proof === null) {
			missing++;
			continue;
		}
		if (proof.entry.type !== 'key-commitment' || proof.entry.markId !== id)
			return failed('commitments', 'commitment-of-other-mark', `${mark}: its proof is of another entry`);
		const wrong = wrongProof(proof, log, mark);
		if (wrong !== null) return failed('commitments', 'inclusion-proof-invalid', wrong);
	}
	return missing > 0
		? notCheckable(
				'commitments',
				'not-committed',
				`${missing} of ${marks.length} keys were not committed beforehand`,
			)
		: passed('commitments', `${marks.length} keys, in the tree of ${log.head.size} entries`);
}

/** Why a proof does not show that its entry is in the log; null when it does. */
function wrongProof(proof: InclusionProof, { head }: LogEvidence, where: string): string | null {
	if (Buffer.compare(canonicalBytes(proof.head), canonicalBytes(head)) !== 0)
		return `${where}: its proof is to another head than the log's`;
	try {
		checkProof(proof, where);
		return null;
	} catch (error) {
		return sentenceOf(error);
	}
}

/** Whether the log's head is signed, by a log that is trusted. */
export function checkLog({ log }: EvidencePredicate, trust: Trust | undefined): Check {
	if (log === null) return notCheckable('log', 'no-log', 'no log is in the bundle');
	const { head } = log;
	if (!isSignedHead(head))
		return failed('log', 'head-signature-invalid', 'the signature of the head does not verify');
	if (trust === undefined)
		return notCheckable(
			'log',
			'no-trust-given',
			`whose log ${head.publicKey} signs is not known; give --trust FILE`,
		);
	const known = trust.logs.find(({ publicKey }) => publicKey === head.publicKey);
	return known === undefined
		? failed('log', 'log-not-trusted', `${head.publicKey} is not among the trusted logs`)
		: passed('log', known.name);
}

/** A size that the log had, and when at the latest. */
interface KnownTime {
	readonly size: number;
	readonly time: string;
	readonly trusted: boolean;
}

/** Whether authorities stamped heads of the log, and when. */
export async function checkStamps(
	{ log }: EvidencePredicate,
	trust: Trust | undefined,
): Promise<{ check: Check; times: readonly KnownTime[] }> {
	const nothing = (check: Check) => ({ check, times: [] });
	if (log === null) return nothing(notCheckable('timestamps', 'no-log', 'no log is in the bundle'));
	if (log.stamps.length === 0)
		return nothing(notCheckable('timestamps', 'no-timestamp', 'no authority stamped a head of the log'));
	const times: KnownTime[] = [];
	for (const [i, { proof, consistency }] of log.stamps.entries()) {
		const where = `time stamp ${i + 1}`;
		const { entry } = proof;
		const wrong = entry.type === 'timestamp' ? wrongProof(proof, log, where) : `${where}: is another entry`;
		if (entry.type !== 'timestamp' || wrong !== null)
			return nothing(failed('timestamps', 'timestamp-not-of-log', wrong ?? where));
		const { head } = entry;
		const treeOf = ({ size, root }: typeof head) => ({ size, root: hexToBytes(root) });
		if (
			head.publicKey !== log.head.publicKey ||
			!verifyConsistency(treeOf(head), treeOf(log.head), consistency.map(hexToBytes))
		)
			return nothing(
				failed('timestamps', 'timestamp-not-of-log', `${where}: the log does not go on from its head`),
			);
		let stamped: KnownTime;
		try {
			stamped = await checkTimestamp(entry, where);
		} catch (error) {
			return nothing(failed('timestamps', 'timestamp-invalid', sentenceOf(error)));
		}
		if (trust?.authorities !== undefined)
			try {
				stamped = await checkTimestamp(entry, where, trust.authorities);
			} catch (error) {
				return nothing(failed('timestamps', 'authority-not-trusted', sentenceOf(error)));
			}
		times.push(stamped);
	}
	const first = times.map(({ time }) => time).sort()[0];
	return {
		check: times.every(({ trusted }) => trusted)
			? passed('timestamps', `${times.length}, the first at ${first}`)
			: notCheckable(
					'timestamps',
					'no-trust-given',
					`${times.length} verify, but whose they are is not known`,
				),
		times,
	};
}

/** Whether keys were committed before suspects were released. */
export function checkOrder({ marks, log, suspects }: EvidencePredicate, times: readonly KnownTime[]): Check {
	if (marks.length === 0) return notCheckable('order', 'no-marks', 'no mark was tested');
	const indices = (log?.commitments ?? []).flatMap((proof) => proof?.index ?? []);
	if (log === null || indices.length < marks.length)
		return notCheckable('order', 'not-committed', 'not all keys were committed to a log');
	const unknown = suspects.find(({ released }) => released === null);
	if (unknown !== undefined)
		return notCheckable('order', 'release-unknown', `when "${unknown.name}" was released is not stated`);
	const last = Math.max(...indices);
	const covering = times.filter(({ size }) => size > last);
	const by = (some: readonly KnownTime[]) => some.map(({ time }) => time).sort()[0];
	const committed = by(covering);
	if (committed === undefined)
		return notCheckable(
			'order',
			'no-timestamp',
			'no time stamp covers all commitments, and the log’s own times prove nothing',
		);
	const late = suspects.find(({ released }) => Date.parse(released ?? '') <= Date.parse(committed));
	if (late !== undefined)
		return failed(
			'order',
			'committed-after-release',
			`"${late.name}" was released at ${late.released}, before ${committed}`,
		);
	return by(covering.filter(({ trusted }) => trusted)) === committed
		? passed('order', `all keys were committed by ${committed}, before any suspect was released`)
		: notCheckable('order', 'no-trust-given', `committed by ${committed}, if the authority is who it says`);
}
