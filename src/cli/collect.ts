/**
 * `touchmark collect`: what a suspect says, through its API, as a signed transcript.
 *
 * @module
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { type Collected, collect } from '../collect/collect.js';
import { PROTOCOLS } from '../collect/protocols.js';
import { FILES, type Statement, writeTranscript } from '../collect/transcript.js';
import { type CollectFlags, collectionFromFlags } from './collect-flags.js';
import { type Edge, EXIT, warn } from './edge.js';
import { ringFromFlags } from './marks.js';
import { parseInteger, parsePositive } from './numbers.js';
import { progressBar } from './progress.js';

/** Most prompts, samples, requests. */
const MANY = 10_000_000;

/** Adds the command. */
export function addCollect(program: Command, edge: Edge, exit: (code: number) => void): void {
	program
		.command('collect')
		.description(
			'ask a suspect through its API; resumable after any interruption, within a budget, with a signed transcript. The same command again goes on where the last one ended.',
		)
		.requiredOption('--endpoint <url>', 'base address, such as https://api.openai.com/v1')
		.addOption(
			new Option('--protocol <name>', 'chat, completions: OpenAI-compatible; messages: Anthropic-compatible')
				.choices(Object.keys(PROTOCOLS))
				.default('chat'),
		)
		.requiredOption('--model <name>', 'model to ask for')
		.requiredOption('--out <folder>', 'journal, records and statement; made if it is not there')
		.option('--prompts <file>', 'answers to these: JSONL of {id, prompt}, or one prompt a line')
		.option(
			'--given <file>',
			'log-probabilities of these texts: JSONL of {id, prompt, text}, or of pairs {id, prompt, a, b}',
		)
		.option('--prefixes <file>', 'likeliest next tokens after these ids: JSONL of {id, prefix}')
		.option('--tokenizer <path>', 'for --prefixes: tokenizer of the mark; the shipped one unless given')
		.option('--samples <n>', 'answers to each prompt', parseInteger('--samples', 1, MANY), 1)
		.option(
			'--seed <n>',
			'sent along; the next answer to a prompt has the next seed',
			parseInteger('--seed', 0, 2 ** 31 - 1),
		)
		.option('--max-tokens <n>', 'tokens of an answer', parseInteger('--max-tokens', 1, MANY), 256)
		.option('--temperature <t>', "the endpoint's own unless given", parsePositive('--temperature', 0))
		.option(
			'--top-logprobs <n>',
			'likeliest tokens to list at each position (20 with --prefixes)',
			parseInteger('--top-logprobs', 1, 1000),
		)
		.option('--stream', 'have answers streamed')
		.option(
			'--parameters <json>',
			'further fields of the request, such as {"top_p":0.9}; null takes a field away',
		)
		.option('--concurrency <n>', 'requests in flight at once', parseInteger('--concurrency', 1, 256), 4)
		.option('--requests-per-minute <n>', 'at most', parseInteger('--requests-per-minute', 1, 1_000_000))
		.option('--attempts <n>', 'at a question in one run', parseInteger('--attempts', 1, 100), 6)
		.option(
			'--back-off <seconds>',
			'before the second attempt; doubled for each one after',
			parsePositive('--back-off'),
			1,
		)
		.option('--timeout <seconds>', 'until a request is given up', parsePositive('--timeout'), 120)
		.option(
			'--max-requests <n>',
			'budget over all runs into this folder',
			parseInteger('--max-requests', 1, MANY),
		)
		.option(
			'--max-cost <amount>',
			'budget in money over all runs; needs --price-in and --price-out',
			parsePositive('--max-cost'),
		)
		.option('--price-in <amount>', 'of a million tokens of prompt', parsePositive('--price-in', 0))
		.option('--price-out <amount>', 'of a million tokens of answer', parsePositive('--price-out', 0))
		.option(
			'--api-key-env <name>',
			"environment variable that holds the API key (OPENAI_API_KEY or ANTHROPIC_API_KEY for the vendors' own hosts and this machine)",
		)
		.option('--keyring <file>', 'key ring that signs the statement')
		.option('--passphrase-command <command>', 'prints the passphrase of a sealed key ring')
		.action(async (flags: CollectFlags) => {
			const ring = flags.keyring === undefined ? undefined : await ringFromFlags(edge, flags);
			if (ring === undefined)
				warn(edge, flags, 'without --keyring nobody signs the statement; record its root elsewhere');
			const { inquiry, collection } = await collectionFromFlags(edge, flags);
			mkdirSync(flags.out, { recursive: true });
			const journal = join(flags.out, FILES.journal);
			const bar = progressBar(edge, flags, 'answers', inquiry.questions.length);
			let shown = 0;
			const progress = (answered: number) => {
				bar.add(answered - shown);
				shown = answered;
			};
			let collected: Collected;
			try {
				collected = await collect({ ...collection, journal, progress });
			} finally {
				bar.stop();
			}
			const statement = await writeTranscript(flags.out, collection.plan, inquiry, collected, ring);
			if (statement.tornLines.length > 0)
				warn(
					edge,
					flags,
					`${journal}: a crash left ${statement.tornLines.length} lines unfinished; they were cut off`,
				);
			const summary = summaryOf(flags.out, statement, collected);
			edge.out(flags.json ? `${JSON.stringify(summary)}\n` : describe(summary));
			if (collected.failed.length > 0) exit(EXIT.failed);
		});
}

function summaryOf(out: string, statement: Statement, { stopped }: Collected) {
	const { requests, records, refusals, leftOut, unasked, unanswered, notReached } = statement;
	return {
		stopped,
		records: records.count,
		root: records.root,
		signed: statement.signature !== null,
		requests,
		refusals,
		leftOut,
		unasked,
		unanswered,
		notReached,
		tornLines: statement.tornLines.length,
		model: statement.model,
		files: { records: join(out, FILES.records), statement: join(out, FILES.statement) },
	};
}

function describe(summary: ReturnType<typeof summaryOf>): string {
	const { stopped, records, requests, refusals, leftOut, unasked, unanswered, notReached, model } = summary;
	const failed = Object.entries(requests.failed).map(([reason, count]) => `${count} ${reason}`);
	const named = (what: string, all: readonly { id: string; reason: string }[]) =>
		all.length === 0
			? []
			: [`  ${what}: ${all.length} (${all[0].id}: ${all[0].reason}${all.length > 1 ? ', …' : ''})`];
	return `${[
		`${records} records in ${summary.files.records}, root ${summary.root}${summary.signed ? ', signed' : ', not signed'}`,
		`  model ${model.asked}, answers from ${model.answered.join(', ') || 'a model without a name'}`,
		`  ${requests.sent} requests: ${[`${requests.answered} answered`, ...failed, ...(requests.interrupted > 0 ? [`${requests.interrupted} interrupted`] : [])].join(', ')}`,
		...named('declined', refusals),
		...named('no record', leftOut),
		...named('not asked', unasked),
		...named('no answer', unanswered),
		...(stopped === 'budget'
			? [`  the budget is spent: ${notReached} questions were not reached; a larger one goes on from here`]
			: []),
	].join('\n')}\n`;
}
