/**
 * `touchmark scan --served`: which records of a dataset hold answers that were served, nearly word for word?
 *
 * @module
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { readJsonLines, readTextDocuments } from '../corpus/documents.js';
import { badInput } from '../errors.js';
import type { FingerprintSalt } from '../fingerprints/fingerprints.js';
import { checked, parseJson } from '../input.js';
import { type Account, openAccounts } from '../keys/accounts.js';
import { bindOpenedSalt, saltsOf } from '../keys/fingerprint-salt.js';
import type { ReceiptEntry } from '../ledger/entry.js';
import { writePieces } from '../output.js';
import { type Exhibit, exhibitOf } from '../verify/exhibit.js';
import { readServedAnswers, type ServedMatch } from '../verify/served-answers.js';
import { newBrokenRecords } from './broken-records.js';
import { type CommonOptions, type Edge, EXIT } from './edge.js';
import { readText, ringFromFlags } from './marks.js';

/** Flags of this kind of scan. */
export interface ServedFlags extends CommonOptions {
	readonly served: string;
	readonly keyring?: string;
	readonly passphraseCommand?: string;
	readonly salt?: string[];
	readonly background?: string[];
	readonly texts?: string;
	readonly accounts?: string;
	readonly textField: string;
	readonly out?: string;
	readonly strict?: boolean;
	readonly failOnDetect?: boolean;
}

/** Answers that are told of a record, at most. */
const MOST_ANSWERS = 10;
/** Matches that are printed for a person to read; all of them are in `--out`. */
const PRINTED = 20;

/** A match before its receipt is read again. */
interface Found extends ServedMatch {
	readonly file: string;
	readonly record: string;
	/** Kept where there may be an exhibit to make of it. */
	readonly text: string | undefined;
}

/** A line of `matches.jsonl`. */
interface Match {
	readonly file: string;
	readonly record: string;
	readonly receipt: string;
	/** Index of the receipt's entry in the log. */
	readonly entry: number;
	readonly time: string;
	/** Pseudonym; null where it is not known. */
	readonly account: string | null;
	readonly fingerprints: number;
	readonly shared: number;
	readonly score: number;
	/** Null where the answer's text is not at hand. */
	readonly exhibit: Exhibit | null;
}

const ServedTextLine = z.looseObject({ id: z.string(), text: z.string() });

/** Runs it. */
export async function scanServed(
	edge: Edge,
	paths: readonly string[],
	flags: ServedFlags,
	exit: (code: number) => void,
): Promise<void> {
	const began = performance.now();
	const { salts, accounts } = await secretsOf(edge, flags);
	const served = readServedAnswers(flags.served, salts);
	const broken = newBrokenRecords(edge, flags);
	const documents = (path: string) =>
		readTextDocuments(path, { text: flags.textField, prompt: 'prompt' }, broken.tell);
	for (const path of flags.background ?? [])
		for await (const { text } of documents(path)) served.strike(text);
	const found: Found[] = [];
	let records = 0;
	let matched = 0;
	for (const file of paths)
		for await (const { id, text } of documents(file)) {
			records++;
			const matches = served.matches(text).slice(0, MOST_ANSWERS);
			if (matches.length > 0) matched++;
			for (const match of matches)
				found.push({ ...match, file, record: id, text: flags.texts === undefined ? undefined : text });
		}
	broken.end();
	const receipts =
		found.length === 0
			? new Map<number, ReceiptEntry>()
			: served.receipts(new Set(found.map(({ entry }) => entry)));
	const owner = ownersOf(accounts);
	const texts = await textsOf(flags.texts, new Set([...receipts.values()].map(({ id }) => id)));
	const matches = found.map(({ text, ...match }): Match => {
		const receipt = receipts.get(match.entry);
		const servedText = receipt && texts.get(receipt.id);
		return {
			file: match.file,
			record: match.record,
			receipt: receipt?.id ?? '',
			entry: match.entry,
			time: receipt?.time ?? '',
			account: owner(receipt),
			fingerprints: match.fingerprints,
			shared: match.shared,
			score: match.score,
			exhibit: servedText === undefined || text === undefined ? null : exhibitOf(servedText, text),
		};
	});
	if (flags.out !== undefined) {
		mkdirSync(flags.out, { recursive: true });
		writePieces(join(flags.out, 'matches.jsonl'), lines(matches));
	}
	const { answers, withoutFingerprints, fingerprints, common } = served;
	const summary = {
		records,
		skipped: broken.count,
		matched,
		matches: matches.length,
		receipts: receipts.size,
		served: { answers, withoutFingerprints, fingerprints, common },
		seconds: (performance.now() - began) / 1000,
	};
	edge.out(flags.json ? `${JSON.stringify(summary)}\n` : describe(summary, matches, flags.out));
	if (matched > 0 && flags.failOnDetect) exit(EXIT.detected);
}

async function secretsOf(
	edge: Edge,
	flags: ServedFlags,
): Promise<{ salts: FingerprintSalt[]; accounts: readonly Account[] }> {
	if ((flags.keyring === undefined) === (flags.salt === undefined))
		throw badInput('say how the fingerprints were salted: give one of --keyring FILE, --salt FILE');
	if (flags.keyring === undefined) {
		if (flags.accounts !== undefined) throw badInput('--accounts needs --keyring FILE, which opens them');
		const salts = (flags.salt ?? []).map((path) => bindOpenedSalt(parseJson(readText(path), path), path));
		return { salts, accounts: [] };
	}
	const ring = await ringFromFlags(edge, flags);
	return {
		salts: saltsOf(ring),
		accounts: flags.accounts === undefined ? [] : openAccounts(flags.accounts, ring).all,
	};
}

/** Says whose a receipt is: the account whose tag of it is the one in the log. */
function ownersOf(accounts: readonly Account[]): (receipt: ReceiptEntry | undefined) => string | null {
	const known = new Map<string, string | null>();
	return (receipt) => {
		if (receipt?.tag === undefined) return null;
		const before = known.get(receipt.id);
		if (before !== undefined) return before;
		const owner = accounts.find((account) => account.tag(receipt.id) === receipt.tag)?.pseudonym ?? null;
		known.set(receipt.id, owner);
		return owner;
	};
}

/** Texts of these receipts. */
async function textsOf(path: string | undefined, wanted: ReadonlySet<string>): Promise<Map<string, string>> {
	const texts = new Map<string, string>();
	if (path === undefined) return texts;
	for await (const { value, line } of readJsonLines(path)) {
		const { id, text } = checked(ServedTextLine, value, `${path}:${line.number}`);
		if (wanted.has(id)) texts.set(id, text);
	}
	return texts;
}

function* lines(matches: readonly Match[]): Generator<string> {
	for (const match of matches) yield `${JSON.stringify(match)}\n`;
}

function describe(
	{
		records,
		skipped,
		matched,
		receipts,
		served,
	}: {
		records: number;
		skipped: number;
		matched: number;
		receipts: number;
		served: { answers: number; withoutFingerprints: number };
	},
	matches: readonly Match[],
	out: string | undefined,
): string {
	const rows = [...matches]
		.sort((one, other) => other.score - one.score)
		.slice(0, PRINTED)
		.map(({ file, record, receipt, time, account, shared, fingerprints, exhibit }) => {
			const edits =
				exhibit === null ? '' : `, ${exhibit.edits} edits in ${exhibit.servedWords} words of the answer`;
			const whose = account === null ? '' : `, account ${account}`;
			return `  ${file}: ${record} has ${shared} of ${fingerprints} fingerprints of a stretch of ${receipt}, served at ${time}${whose}${edits}\n`;
		});
	const more = matches.length - rows.length;
	return (
		`${records} records, ${skipped} left out; ${served.answers} served answers with fingerprints, ${served.withoutFingerprints} without\n` +
		`${matched} records hold stretches of ${receipts} served answers; that is a finding about texts, and says nothing of how they came there\n` +
		rows.join('') +
		(more > 0
			? `  and ${more} more${out === undefined ? '; --out FOLDER writes all' : ` in ${out}/matches.jsonl`}\n`
			: '')
	);
}
