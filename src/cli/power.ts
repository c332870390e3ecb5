/**
 * `touchmark power`: what a test will show, before it is made.
 *
 * @module
 */
import { type Command, Option } from 'commander';
import { badInput } from '../errors.js';
import { checked } from '../input.js';
import { defaultMarks } from '../marks/defaults.js';
import { type Plan, PlanRequest, plan } from '../verify/plan.js';
import { type CommonOptions, type Edge, warn } from './edge.js';

interface Flags extends CommonOptions {
	readonly access: PlanRequest['access'];
	readonly scheme?: string;
	readonly gamma?: number;
	readonly delta?: number;
	readonly depth?: number;
	readonly contextWidth?: number;
	readonly entropy?: number;
	readonly share?: number;
	readonly keys?: number;
	readonly transfer?: number;
	readonly preferred?: number;
	readonly queries?: number;
	readonly evidence?: number;
}

/** Adds the command. */
export function addPower(program: Command, edge: Edge): void {
	program
		.command('power')
		.description(
			'plan a test: the e-value to expect of a number of queries, or the queries that an e-value takes. Estimates only.',
		)
		.addOption(
			new Option(
				'--access <way>',
				"text: a marked text itself, or a suspect's text without references. closed, grey, open: radioactivity with references, a student of unmarked text among them. exposure: a trial",
			)
				.choices(['text', 'closed', 'grey', 'open', 'exposure'])
				.default('grey'),
		)
		.addOption(
			new Option('--scheme <name>', 'the mark; the shape mark of a new key ring unless given').choices([
				'kgw',
				'synthid',
				'gumbel',
			]),
		)
		.option('--gamma <share>', 'kgw: share of green tokens', Number)
		.option('--delta <nats>', 'kgw: bias', Number)
		.option('--depth <layers>', 'synthid: layers', Number)
		.option('--context-width <ids>', 'closed, grey, open: ids in a context', Number)
		.option(
			'--entropy <nats>',
			"mean entropy of the marked model's next token (default: 3.67, the bench's teacher)",
			Number,
		)
		.option('--share <rho>', 'how much of the training text (text: of the text itself) is marked', Number)
		.option('--keys <count>', 'closed, grey, open: keys that the marked text is spread over', Number)
		.option(
			'--transfer <factor>',
			"closed, grey, open: how well the suspect learns a mark; 1: as the bench's students",
			Number,
		)
		.option(
			'--preferred <share>',
			'exposure: pairs in which the served answer is likelier (0.9 after one epoch on the bench)',
			Number,
		)
		.option(
			'--queries <n>',
			'what is asked: distinct tokens (text), tokens (closed), calls (grey), positions (open), pairs (exposure)',
			Number,
		)
		.option('--evidence <log10e>', 'log10 e that is wanted (default: 6)', Number)
		.action((flags: Flags) => {
			const request = checked(PlanRequest, requestFrom(flags), 'power');
			const found = plan(request);
			if (flags.json) edge.out(`${JSON.stringify(found)}\n`);
			else {
				edge.out(describe(found, request));
				for (const warning of found.warnings) warn(edge, flags, warning);
			}
		});
}

/** What the flags ask; unchecked. */
function requestFrom(flags: Flags): object {
	const {
		access,
		scheme,
		gamma,
		delta,
		depth,
		entropy,
		share,
		keys,
		transfer,
		preferred,
		queries,
		evidence,
	} = flags;
	const parameters = given({ gamma, delta, depth });
	if (scheme === undefined && Object.keys(parameters).length > 0)
		throw badInput(`--${Object.keys(parameters)[0]}: has a meaning with --scheme only`);
	const [usual] = defaultMarks('plan', '');
	const isStudent = access !== 'text' && access !== 'exposure';
	return given({
		access,
		scheme:
			scheme !== undefined
				? { name: scheme, ...parameters }
				: access === 'exposure'
					? undefined
					: usual.scheme,
		contextWidth: flags.contextWidth ?? (isStudent ? usual.contextWidth : undefined),
		...{ entropy, share, keys, transfer, preferred, queries, evidence },
	});
}

/** Without the fields that nobody gave. */
function given(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
	return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** The question in words. */
function questionOf(request: PlanRequest): string {
	if (request.access === 'exposure') return `exposure, ${request.preferred} of pairs preferred`;
	const { name, ...parameters } = request.scheme;
	const mark = [name, ...Object.entries(parameters).map(([key, value]) => `${key} ${value}`)];
	if (request.access !== 'text') mark.push(`context width ${request.contextWidth}`);
	const keys = request.access !== 'text' && request.keys > 1 ? ` under ${request.keys} keys` : '';
	return `${request.access}, ${mark.join(' ')}, share ${request.share}${keys}, entropy ${request.entropy} nats`;
}

function describe({ queries, unit, log10E, probability, evidence }: Plan, request: PlanRequest): string {
	const expected =
		queries === null
			? `no number of ${unit} gives log10 e ${evidence}`
			: `${queries} ${unit}: log10 e ${log10E.toFixed(1)} at median; ${evidence} or more with probability ${probability.toFixed(2)}`;
	const caution =
		request.access === 'text' || request.access === 'exposure'
			? 'An estimate for planning.'
			: 'An estimate for planning: a result does not tell how much of the training text was marked.';
	return `${questionOf(request)}\n  ${expected}\n  ${caution}\n`;
}
