/**
 * Plans a test: the evidence to expect of a number of queries, and the queries that a wanted evidence takes.
 *
 * For planning only. What a plan assumes (the share of marked text in a suspect's training, how well it learns) cannot be
 * told back from a result.
 *
 * @module
 */
import { z } from 'zod';
import { badInput } from '../errors.js';
import { SchemeParams } from '../schemes/scheme.js';
import { deviationForecast, type Forecast, MOST_QUERIES, queriesFor, signForecast } from '../stats/index.js';
import { log1p } from '../stats/portable.js';
import { diluted, markedScores, signalOf, sumForecast } from './marked-scores.js';

/** How the tests with references grow: z² = (share·signal)²·gain·n·ln(1 + saturation/n). */
export interface Growth {
	readonly gain: number;
	/** Queries by which most contexts have been read often enough. */
	readonly saturation: number;
	/** The most queries that it was fitted to. */
	readonly most: number;
}

/** Entropy of the embedded teacher's next token, mean over its texts, nats: what the bench's students learned from. */
export const TEACHER_ENTROPY = 3.67;

/**
 * By context width; fitted by `npm run bench -- power` to students of the distillation bench, with four students of
 * unmarked text among the references.
 */
export const GROWTH: Readonly<Record<'closed' | 'grey' | 'open', Readonly<Record<number, Growth>>>> = {
	closed: { 1: { gain: 0.075, saturation: 2_200_000, most: 500_000 } },
	grey: {
		1: { gain: 13, saturation: 16_000, most: 10_000 },
		2: { gain: 3.1, saturation: 5200, most: 10_000 },
	},
	open: {
		1: { gain: 35, saturation: 5300, most: 10_000 },
		2: { gain: 3.7, saturation: 5200, most: 10_000 },
	},
};

/** How far students of one mark and share lie apart in z, as a share of it, beside the noise of their keys; same bench. */
export const SPREAD = 0.05;

/** The shares and signals that the bench went through. */
const MEASURED = { shares: [0.02, 0.1], signal: 0.95 } as const;

/** A number in a plan. */
const number = z.number({ error: 'must be a number' });
/** A number that has no default. */
const needed = (what: string) =>
	z.number({ error: ({ input }) => (input === undefined ? `is needed: ${what}` : 'must be a number') });
const aim = {
	/** Calls, positions, tokens or pairs; absent: as many as `evidence` takes. */
	queries: z.int({ error: 'must be an integer' }).min(1, 'must be at least 1').max(MOST_QUERIES).optional(),
	/** log10 e that is wanted. */
	evidence: number.gt(0).max(1e4).default(6),
};
const marked = {
	scheme: SchemeParams,
	/** Mean entropy of the next token of the marked model, nats. */
	entropy: number.gt(0).max(12).default(TEACHER_ENTROPY),
};
const Share = number.gt(0).max(1);

/** An object of exactly these fields. */
function exactly<Shape extends z.ZodRawShape>(shape: Shape) {
	return z.strictObject(shape, {
		error: (issue) =>
			issue.code === 'unrecognized_keys' ? `this plan has no use for ${issue.keys.join(', ')}` : undefined,
	});
}

const student = {
	...aim,
	...marked,
	contextWidth: z.int({ error: 'must be an integer' }).min(0),
	/** Of the suspect's training text, how much is marked, under all keys together. */
	share: needed('how much of what the suspect was trained on is marked').gt(0).max(1),
	/** Keys that the marked text is spread over evenly. */
	keys: z.int({ error: 'must be an integer' }).min(1, 'must be at least 1').max(1e6).default(1),
	/** How well the suspect learns a mark, 1 as the bench's students. */
	transfer: number.gt(0).max(10).default(1),
};

/** What is planned: a text itself (or a suspect's text, without references), the tests with references, or a trial. */
export const PlanRequest = z.discriminatedUnion('access', [
	exactly({ access: z.literal('text'), ...aim, ...marked, share: Share.default(1) }),
	exactly({ access: z.literal('closed'), ...student }),
	exactly({ access: z.literal('grey'), ...student }),
	exactly({ access: z.literal('open'), ...student }),
	exactly({
		access: z.literal('exposure'),
		...aim,
		preferred: needed('the share of pairs in which the suspect finds the served answer likelier')
			.gt(0.5)
			.lt(1),
	}),
]);
export type PlanRequest = z.infer<typeof PlanRequest>;

/** What to expect. */
export const Plan = z.object({
	access: z.enum(['text', 'closed', 'grey', 'open', 'exposure']),
	/** log10 e that is wanted. */
	evidence: z.number(),
	/** As asked, or as many as the wanted evidence takes at median; null where no number is enough. */
	queries: z.int().nullable(),
	/** What is counted. */
	unit: z.enum(['distinct tokens', 'tokens', 'calls', 'positions', 'pairs']),
	/** Median of log10 e at these queries; at the most that can be had where none is enough. */
	log10E: z.number(),
	/** Chance that log10 e reaches `evidence` at these queries. */
	probability: z.number().min(0).max(1),
	warnings: z.array(z.string()),
});
export type Plan = z.infer<typeof Plan>;

const UNITS = {
	text: 'distinct tokens',
	closed: 'tokens',
	grey: 'calls',
	open: 'positions',
	exposure: 'pairs',
} as const satisfies Record<PlanRequest['access'], Plan['unit']>;

type Student = Extract<PlanRequest, { access: 'closed' | 'grey' | 'open' }>;

/** Plans a test. @throws TouchmarkError `bad-input` for a mark of which nothing is known */
export function plan(request: PlanRequest): Plan {
	switch (request.access) {
		case 'text': {
			const { scheme, entropy, share } = request;
			return planned(request, sumForecast(diluted(markedScores(scheme, entropy), share)), []);
		}
		case 'exposure':
			return planned(request, signForecast(request.preferred), []);
		default:
			return planned(request, studentForecast(request), warningsOf(request));
	}
}

/** @param warnings of what was asked; what comes out adds its own */
function planned(request: PlanRequest, forecast: Forecast, warnings: readonly string[]): Plan {
	const { access, evidence } = request;
	const wanted = evidence * Math.LN10;
	const queries = request.queries ?? queriesFor(forecast, wanted);
	const n = queries ?? MOST_QUERIES;
	const log10E = forecast.logE(n) / Math.LN10;
	const unit = UNITS[access];
	return {
		access,
		evidence,
		queries,
		unit,
		log10E,
		probability: forecast.probability(n, wanted),
		warnings: [
			...warnings,
			...(queries === null
				? [`as far as we know, no number of ${unit} is enough: log10 e stays at ${log10E.toFixed(1)}`]
				: []),
		],
	};
}

/** Standard deviations that n queries give for each unit of what a student's training text carries under one key. */
export function deviationsPerSignal({ gain, saturation }: Growth, n: number): number {
	return Math.sqrt(gain * n * log1p(saturation / n));
}

function growthOf({ access, contextWidth }: Student): Growth {
	const growth = GROWTH[access][contextWidth];
	if (growth === undefined)
		throw badInput(
			`contextWidth: the bench has measured ${access} tests at context width ${Object.keys(GROWTH[access]).join(' and ')} only`,
		);
	return growth;
}

function signalIn({ scheme, entropy }: Student): number {
	const scores = markedScores(scheme, entropy);
	if (scores.kind === 'exponential')
		throw badInput(`scheme: ${scheme.name} is a mark of the choice channel, which students do not learn`);
	return signalOf(scores);
}

function studentForecast(request: Student): Forecast {
	const { share, keys, transfer } = request;
	const growth = growthOf(request);
	const carried = (transfer * signalIn(request) * share) / keys;
	return deviationForecast({ of: (n) => carried * deviationsPerSignal(growth, n), keys, spread: SPREAD });
}

function warningsOf(request: Student): string[] {
	const { access, share, keys, evidence } = request;
	const unit = UNITS[access];
	const queriesUnder = (count: number) =>
		queriesFor(studentForecast({ ...request, keys: count }), evidence * Math.LN10);
	const queries = queriesUnder(keys);
	const warnings: string[] = [];
	if (keys > 1) {
		const one = queriesUnder(1);
		const takes =
			one === null
				? `no number of ${unit} is enough, nor is it under one key`
				: queries === null
					? `no number of ${unit} is enough, where one key takes ${one}`
					: `it takes ${queries} ${unit}, where one key takes ${one}: ${(queries / one).toFixed(1)} times as many`;
		warnings.push(
			`spread over ${keys} keys, each has a share of ${Number((share / keys).toPrecision(2))}; for log10 e ${evidence} ${takes}`,
		);
	}
	const [least, most] = MEASURED.shares;
	const beyond = [
		...((request.queries ?? queries ?? MOST_QUERIES) > growthOf(request).most
			? [`more than ${growthOf(request).most} ${unit}`]
			: []),
		...(share / keys < least || share / keys > most ? [`shares other than ${least} to ${most}`] : []),
		...(signalIn(request) > MEASURED.signal ? ['marks as strong as this'] : []),
	];
	if (beyond.length > 0)
		warnings.push(`the bench has not measured ${beyond.join(', or ')}: this is extrapolated`);
	return warnings;
}
