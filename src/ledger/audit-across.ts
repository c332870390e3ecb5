/**
 * What an audit compares between segments: ids of receipts, policies that receipts name, heads that time stamps are for.
 *
 * @module
 */
import { idWord, type SegmentFindings } from './audit-segment.js';
import { filesOf, inconsistent, parseEntry, parseHead, segmentsOf, wholeLines } from './folder.js';
import { checkTimestamp, type Stamped } from './timestamp.js';

/** Findings of all segments, side by side. */
export interface Across {
	take(findings: SegmentFindings): void;
	readonly receipts: number;
	/** What is no inconsistency, and should not be. */
	remarks(folder: string): string[];
	/** Checks the time stamps. @throws TouchmarkError `failed` for one that does not hold, or of a head that the log does not have */
	stamped(folder: string, trusted: string | undefined): Promise<Stamped[]>;
}

/** @param entries most ids that there can be; 8 bytes each */
export function newAcross(entries: number): Across {
	const ids = new BigUint64Array(entries);
	const policies = new Set<number>();
	const named = new Map<number, string>();
	const stamps: SegmentFindings['stamps'][number][] = [];
	let receipts = 0;
	return {
		get receipts() {
			return receipts;
		},
		take(findings) {
			ids.set(findings.ids, receipts);
			receipts += findings.ids.length;
			for (const index of findings.policies) policies.add(index);
			for (const [index, where] of findings.named) if (!named.has(index)) named.set(index, where);
			stamps.push(...findings.stamps);
		},
		remarks(folder) {
			const lost = [...named].filter(([index]) => !policies.has(index));
			const remarks = lost.map(([index, where]) => `${where}: names policy ${index}, and there is none`);
			const twice = repeated(ids.subarray(0, receipts).sort());
			return twice.size === 0 ? remarks : [...remarks, ...placesOf(folder, twice)];
		},
		async stamped(folder, trusted) {
			checkStampedHeads(folder, stamps);
			const checked: Stamped[] = [];
			for (const { entry, where } of stamps) checked.push(await checkTimestamp(entry, where, trusted));
			return checked;
		},
	};
}

function repeated(sorted: BigUint64Array): Set<bigint> {
	const found = new Set<bigint>();
	for (let i = 1; i < sorted.length; i++) if (sorted[i] === sorted[i - 1]) found.add(sorted[i]);
	return found;
}

/** Where receipts stand whose id is there already. */
function placesOf(folder: string, words: ReadonlySet<bigint>): string[] {
	const seen = new Map<string, string>();
	const remarks: string[] = [];
	for (const number of segmentsOf(folder)) {
		const path = filesOf(folder).segment(number);
		let line = 0;
		for (const bytes of wholeLines(path)) {
			line++;
			if (!bytes.includes('"type":"receipt"')) continue;
			const where = `${path}:${line}`;
			const entry = parseEntry(bytes, where);
			if (entry.type !== 'receipt' || !words.has(idWord(entry.id))) continue;
			const before = seen.get(entry.id);
			if (before === undefined) seen.set(entry.id, where);
			else remarks.push(`${where}: its receipt id stands at ${before} already`);
		}
	}
	return remarks;
}

/** A head that was time-stamped is one that the log had. */
function checkStampedHeads(folder: string, stamps: SegmentFindings['stamps']): void {
	if (stamps.length === 0) return;
	const roots = new Map(stamps.map(({ entry }) => [entry.head.size, '']));
	let line = 0;
	const { heads } = filesOf(folder);
	for (const bytes of wholeLines(heads)) {
		const { size, root } = parseHead(String(bytes), `${heads}:${++line}`);
		if (roots.has(size)) roots.set(size, root);
	}
	for (const { entry, where } of stamps)
		if (roots.get(entry.head.size) !== entry.head.root)
			throw inconsistent(where, 'is a time stamp of a tree head that this log does not have');
}
