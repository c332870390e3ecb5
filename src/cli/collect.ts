/**
 * `touchmark collect`: what a suspect says, through its API, as a signed transcript.
 *
 * @module
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { type Collected, type Collection, collect } from '../collect/collect.js';
import type { Inquiry } from '../collect/inquiry.js';
import { PROTOCOLS } from '../collect/protocols.js';
import { FILES, type Statement, writeTranscript } from '../collect/transcript.js';
import type { Keyring } from '../keys/keyring.js';
import { type CollectFlags, collectionFromFlags } from './collect-flags.js';
import { type Standing, UNTIL_OPTIONS, type Until, untilFromFlags } from './collect-until.js';
import { type Edge, EXIT, warn } from './edge.js';
import { ringFromFlags, withMarkFlags } from './marks.js';
import { parseInteger, parsePositive } from './numbers.js';
import { progressBar } from './progress.js';

/** Most prompts, samples, requests. */
const MANY = 10_000_000;

/** Adds the command. */
export function addCollect(program: Command, edge: Edge, exit: (code: number) => void): void {
	const command = program
		.command('collect')
		.description(
			'ask a suspect through its API; resumable after any interruption, within a budget, with a signed transcript. The same command again goes on where the last one ended. The key ring signs, and holds the marks of --until unless another flag names them.',
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
		.addOption(
			new Option(
				'--given-by <way>',
				"echo: a request a text; prefixes: a request a token, for endpoints without echo; needs --tokenizer, the suspect's",
			)
				.choices(['echo', 'prefixes'])
				.default('echo'),
		)
		.option('--prefixes <file>', 'likeliest next tokens after these ids: JSONL of {id, prefix}')
		.option(
			'--probe <files...>',
			'the same after beginnings of these texts, which no key has touched, the most informative first; needs --reference and --traffic',
		)
		.option(
			'--context-width <n>',
			'for --probe: ids in a context of the mark',
			parseInteger('--context-width', 0, 16),
			1,
		)
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
			'likeliest tokens to list at each position (20 with --prefixes, --probe and --given-by prefixes)',
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
		.option('--fail-on-detect', 'exit with 3 when --until finds a mark');
	for (const option of UNTIL_OPTIONS) command.addOption(option);
	withMarkFlags(command).action(async (flags: CollectFlags) => {
		const ring = flags.keyring === undefined ? undefined : await ringFromFlags(edge, flags);
		if (ring === undefined)
			warn(edge, flags, 'without --keyring nobody signs the statement; record its root elsewhere');
		const { inquiry, collection } = await collectionFromFlags(edge, flags);
		mkdirSync(flags.out, { recursive: true });
		const until = await untilFromFlags(edge, flags, inquiry, flags.out);
		const bar = progressBar(edge, flags, 'answers', inquiry.questions.length);
		let shown = 0;
		const progress = (answered: number) => {
			bar.add(answered - shown);
			shown = answered;
		};
		let outcome: Outcome;
		try {
			outcome = await askUntilEnough(flags.out, { ...collection, progress }, inquiry, until, ring);
		} finally {
			bar.stop();
		}
		const { collected, statement } = outcome;
		if (statement.tornLines.length > 0)
			warn(
				edge,
				flags,
				`${join(flags.out, FILES.journal)}: a crash left ${statement.tornLines.length} lines unfinished; they were cut off`,
			);
		const summary = summaryOf(flags.out, outcome, until);
		edge.out(flags.json ? `${JSON.stringify(summary)}\n` : describe(summary));
		if (collected.failed.length > 0) exit(EXIT.failed);
		else if (flags.failOnDetect && summary.until?.reached) exit(EXIT.detected);
	});
}

/** What was collected, and its transcript. */
interface Outcome {
	readonly collected: Collected;
	readonly statement: Statement;
}

/** Asks as many questions as the test wants to see, tests, and asks more. */
async function askUntilEnough(
	folder: string,
	collection: Omit<Collection, 'journal'>,
	inquiry: Inquiry,
	until: Until | undefined,
	ring: Keyring | undefined,
): Promise<Outcome> {
	const journal = join(folder, FILES.journal);
	const { questions, plan } = collection;
	const inOrder = until?.inOrder === undefined ? {} : { inOrder: until.inOrder };
	let answered = 0;
	for (;;) {
		const wanted = Math.min(questions.length, until?.nextAt(answered) ?? questions.length);
		const asked = { ...collection, ...inOrder, journal, questions: questions.slice(0, wanted) };
		const collected = await collect(asked);
		const statement = await writeTranscript(folder, plan, inquiry, collected, ring);
		answered = statement.requests.answered;
		// What is still to be asked again would be another look at the same place.
		if (until === undefined || collected.failed.length > 0) return { collected, statement };
		const enough = await until.test(join(folder, FILES.records), answered);
		if (enough) return { collected: { ...collected, stopped: 'enough' }, statement };
		if (collected.stopped !== 'done' || wanted === questions.length) return { collected, statement };
	}
}

function summaryOf(out: string, { statement, collected: { stopped } }: Outcome, until: Until | undefined) {
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
		...(until === undefined ? {} : { until: until.standing() }),
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
		...(summary.until === undefined ? [] : [`  ${untilText(summary.until)}`]),
		...(stopped === 'budget'
			? [`  the budget is spent: ${notReached} questions were not reached; a larger one goes on from here`]
			: []),
	].join('\n')}\n`;
}

function untilText({ reached, level, answers, looks, verdict, tests }: Standing): string {
	const least = tests.reduce((best, { log10PCorrected }) => Math.min(best, log10PCorrected), 0);
	const looked = looks === null ? 'one by one' : `${looks} looks`;
	return `${reached ? `found${verdict === null ? '' : ` (${verdict})`}` : 'not found'} at level ${level} in ${answers} answers, ${looked}; log10 p ${least.toFixed(1)}, corrected`;
}
