/**
 * `touchmark log`: append entries and receipts, prove what is there, time-stamp it, audit it.
 *
 * @module
 */
import { createInterface } from 'node:readline';
import type { Command } from 'commander';
import { z } from 'zod';
import { readJsonLines } from '../corpus/documents.js';
import { Receipt } from '../embed/receipt.js';
import { badInput } from '../errors.js';
import type { FingerprintSalt } from '../fingerprints/fingerprints.js';
import { checked, parseJson } from '../input.js';
import { type Accounts, openAccounts } from '../keys/accounts.js';
import { currentSalt } from '../keys/fingerprint-salt.js';
import type { Keyring } from '../keys/keyring.js';
import { auditLog } from '../ledger/audit.js';
import { LogEntry } from '../ledger/entry.js';
import { openLog } from '../ledger/log.js';
import { checkProof, openProver } from '../ledger/prove.js';
import { readLog } from '../ledger/read-log.js';
import { newReceiptLog } from '../ledger/receipts.js';
import { requestTimestamp } from '../ledger/timestamp.js';
import { type CommonOptions, type Edge, EXIT, warn } from './edge.js';
import { readText, ringFromFlags } from './marks.js';
import { parseInteger } from './numbers.js';
import { type Bar, progressBar } from './progress.js';

interface LogFlags extends CommonOptions {
	readonly log: string;
}
interface WriteFlags extends LogFlags {
	readonly keyring: string;
	readonly passphraseCommand?: string;
}

/** Lines in flight: as many as are read ahead of the disk. */
const IN_FLIGHT = 8192;
/** Entries, at most. */
const MANY = Number.MAX_SAFE_INTEGER;

/** A line of `append`: an entry as it stands in a log, or a session's receipt, with or without its account's name and its text. */
const Line = z.union([
	LogEntry,
	z
		.strictObject({
			receipt: Receipt,
			account: z.string().min(1).nullable().default(null),
			text: z.string().optional(),
			prompt: z.string().optional(),
		})
		.refine(({ text, prompt }) => text !== undefined || prompt === undefined, {
			path: ['prompt'],
			error: 'is there without "text"; its fingerprints are those of a text',
		}),
	Receipt,
]);

/** Adds the commands. */
export function addLog(program: Command, edge: Edge, exit: (code: number) => void): void {
	const log = program.command('log').description('the append-only log of keys, receipts and trials');
	const logCommand = (name: string, description: string) =>
		log.command(name).description(description).requiredOption('--log <folder>', 'the log');
	const writeCommand = (name: string, description: string) =>
		logCommand(name, description)
			.requiredOption('--keyring <file>', 'the key ring that signs it')
			.option('--passphrase-command <command>', 'prints the passphrase of a sealed ring');

	writeCommand('append', 'append receipts or entries, JSON lines from a file or standard input')
		.argument(
			'[file]',
			'JSONL of receipts, of {"receipt", "account", "text", "prompt"}, or of entries (default: standard input)',
		)
		.option(
			'--fingerprints',
			'log fingerprints of the texts, for `touchmark scan --served`; the texts themselves are not logged',
		)
		.option('--accounts <file>', 'accounts, to tag receipts with')
		.action(
			async (file: string | undefined, flags: WriteFlags & { accounts?: string; fingerprints?: boolean }) => {
				const ring = await ringFromFlags(edge, flags);
				const accounts = flags.accounts === undefined ? undefined : openAccounts(flags.accounts, ring);
				const salt = flags.fingerprints ? currentSalt(ring) : undefined;
				const summary = await append(flags.log, ring, accounts, salt, file);
				edge.out(
					flags.json
						? `${JSON.stringify(summary)}\n`
						: `${summary.appended} entries appended, ${summary.receipts} of them receipts; the tree holds ${summary.treeHead.size}, root ${summary.treeHead.root}\n`,
				);
			},
		);

	logCommand('prove', 'that a receipt or entry is in the log, or that one tree head continues another')
		.option('--receipt <id>', 'the entry of this receipt')
		.option('--index <n>', 'the entry at this place', parseInteger('--index', 0, MANY))
		.option('--consistency <sizes...>', 'sizes of two signed heads, the older first')
		.action((flags: LogFlags & { receipt?: string; index?: number; consistency?: string[] }) => {
			const { receipt, index, consistency } = flags;
			if ([receipt, index, consistency].filter((flag) => flag !== undefined).length !== 1)
				throw badInput('give one of --receipt ID, --index N, --consistency OLDER NEWER');
			const prover = openProver(flags.log);
			if (consistency !== undefined) {
				if (consistency.length !== 2) throw badInput('--consistency: give two sizes');
				const [older, newer] = consistency.map(parseInteger('--consistency', 1, MANY));
				edge.out(`${JSON.stringify(prover.consistency(older, newer))}\n`);
			} else edge.out(`${JSON.stringify(prover.inclusion(index ?? prover.indexOf(receipt ?? '')))}\n`);
		});

	log
		.command('check')
		.description('check a proof that `prove` made; needs nothing else')
		.argument('<file>', 'the proof')
		.action((file: string, flags: CommonOptions) => {
			const proof = checkProof(parseJson(readText(file), file), file);
			const { head, says } =
				proof.format === 'touchmark-inclusion-proof'
					? {
							head: proof.head,
							says: `entry ${proof.index} (${proof.entry.type}) is in the tree of ${proof.head.size}`,
						}
					: {
							head: proof.newer,
							says: `the tree of ${proof.newer.size} begins with that of ${proof.older.size}`,
						};
			edge.out(
				flags.json
					? `${JSON.stringify({ valid: true, says, publicKey: head.publicKey, time: head.time })}\n`
					: `${says}; signed by ${head.publicKey} at ${head.time}\n`,
			);
		});

	writeCommand('timestamp', 'have an authority (RFC 3161) stamp the newest head, and log its answer')
		.requiredOption('--authority <url>', 'its address')
		.action(async (flags: WriteFlags & { authority: string }) => {
			if (!URL.canParse(flags.authority)) throw badInput('--authority: must be an address such as https://…');
			const ring = await ringFromFlags(edge, flags);
			const { head } = readLog(flags.log, []);
			const writer = await openLog(flags.log, ring);
			try {
				const { index } = await writer.append(await requestTimestamp(head, flags.authority));
				edge.out(
					flags.json
						? `${JSON.stringify({ size: head.size, index, authority: flags.authority })}\n`
						: `the head of ${head.size} entries was stamped; entry ${index} holds the answer\n`,
				);
			} finally {
				await writer.close();
			}
		});

	logCommand('audit', 'compute everything again: entries, roots, every signed head, time stamps')
		.option('--authority-certificates <file>', 'PEM: who vouches for time stamps')
		.action(async (flags: LogFlags & { authorityCertificates?: string }) => {
			const { authorityCertificates: pem } = flags;
			const trusted = pem === undefined ? undefined : readText(pem);
			let bar: Bar | undefined;
			const audit = await auditLog(flags.log, {
				trusted,
				progress(entries, of) {
					bar ??= progressBar(edge, flags, 'entries audited', of);
					bar.add(entries);
				},
			});
			bar?.stop();
			if (!audit.consistent) {
				edge.err(`error: ${audit.problem}\n`);
				if (flags.json) edge.out(`${JSON.stringify(audit)}\n`);
				exit(EXIT.failed);
				return;
			}
			for (const remark of audit.remarks) warn(edge, flags, remark);
			const { entries, receipts, treeHead, unacknowledged, stamped } = audit;
			edge.out(
				flags.json
					? `${JSON.stringify(audit)}\n`
					: `${[
							`consistent: ${entries} entries, ${receipts} of them receipts`,
							`  root ${treeHead.root}, signed by ${treeHead.publicKey} at ${treeHead.time}`,
							...(unacknowledged > 0 ? [`  ${unacknowledged} lines behind it were never acknowledged`] : []),
							...stamped.map(
								({ size, time, trusted }) =>
									`  head of ${size} stamped at ${time}${trusted ? '' : ' by an authority that nobody vouches for'}`,
							),
						].join('\n')}\n`,
			);
		});
}

async function append(
	folder: string,
	ring: Keyring,
	accounts: Accounts | undefined,
	salt: FingerprintSalt | undefined,
	file: string | undefined,
) {
	const writer = await openLog(folder, ring);
	const counts = { appended: 0, receipts: 0 };
	try {
		const receipts = newReceiptLog(writer, salt);
		let group: Promise<unknown>[] = [];
		for await (const { value, where } of linesOf(file)) {
			const line = checked(Line, value, where);
			counts.appended++;
			if ('type' in line) group.push(writer.append(line));
			else {
				counts.receipts++;
				const bare = { account: null, text: undefined, prompt: undefined };
				const { receipt, account, text, prompt } = 'receipt' in line ? line : { receipt: line, ...bare };
				if (text !== undefined && salt === undefined)
					throw badInput(`${where}: holds a text; give --fingerprints to log its fingerprints`);
				group.push(
					receipts.append(
						receipt,
						account === null ? null : accountOf(accounts, account, where),
						text === undefined ? undefined : { text, ...(prompt === undefined ? {} : { prompt }) },
					),
				);
			}
			if (group.length === IN_FLIGHT) {
				await Promise.all(group);
				group = [];
			}
		}
		await Promise.all(group);
	} finally {
		await writer.close();
	}
	return { ...counts, treeHead: openProver(folder).head };
}

function accountOf(accounts: Accounts | undefined, name: string, where: string) {
	if (accounts === undefined) throw badInput(`${where}: names an account; give --accounts FILE`);
	const account = accounts.get(name);
	if (account === undefined)
		throw badInput(`${where}: its account is not in the accounts file; \`touchmark accounts add\` it first`);
	return account;
}

async function* linesOf(file: string | undefined): AsyncGenerator<{ value: unknown; where: string }> {
	if (file !== undefined) {
		for await (const { value, line } of readJsonLines(file)) yield { value, where: `${file}:${line.number}` };
		return;
	}
	let number = 0;
	for await (const text of createInterface({ input: process.stdin })) {
		const where = `standard input:${++number}`;
		if (text.trim() !== '') yield { value: parseJson(text, where), where };
	}
}
