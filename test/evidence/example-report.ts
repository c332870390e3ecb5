/**
 * A report's data as the demo would have it, with made-up numbers.
 *
 * @module
 */
import type { ReportData, ReportSuspect } from '../../src/evidence/report.js';

/** Uniform numbers in (0, 1], the same in each run (Park and Miller). */
function newUniform(seed: number): () => number {
	let state = seed;
	return () => {
		state = (state * 48271) % 2147483647;
		return state / 2147483647;
	};
}

function suspect(
	name: string,
	seed: number,
	found: Pick<ReportSuspect, 'log10P' | 'mean' | 'verdict'>,
	rest: Partial<ReportSuspect> = {},
): ReportSuspect {
	const uniform = newUniform(seed);
	const heldOutLog10Ps = Array.from({ length: 99 }, () => Math.log10(uniform()));
	return {
		suspect: name,
		trainedOnMarked: found.verdict === 'trained-on-marked',
		scored: 30_000 + (seed % 9_000),
		expected: 0.5,
		...found,
		heldOut: { count: 99, rank: 1 + heldOutLog10Ps.filter((p) => p <= found.log10P).length },
		alternatives: found.verdict === 'trained-on-marked' ? ['relay'] : [],
		heldOutLog10Ps,
		...rest,
	};
}

const TEXT =
	'The old harbour lay quiet under a thin rain, and the boats knocked softly against the stones. “You will want ' +
	'the morning tide,” said the keeper, who had not looked up from his knots. I told him that I would wait. He ' +
	'nodded, as if that had been the answer to some other question, and went on with the rope.\n\nBy noon the wind ' +
	'had turned. The gulls came in from the sea and stood along the wall, all facing one way, like people at a ' +
	'play. Nobody spoke of the ship that had gone out, and nobody spoke of anything else.';

function passageTokens(): ReportData['passage']['tokens'] {
	const uniform = newUniform(77_777_777);
	const tokens = TEXT.match(/\s?[\p{L}]{1,5}|[^\p{L}]/gu) ?? [];
	return tokens.map((text, i) => ({
		text,
		green: i < 1 ? null : uniform() < 0.58,
		nats: i < 4 ? null : -1.6 * Math.log(uniform()),
	}));
}

/** Six suspects of which two were trained on marked text. */
export const EXAMPLE: ReportData = {
	title: 'Touchmark demo',
	version: '0.1.0',
	generatedAt: '2026-11-02T09:30:00.000Z',
	seconds: 74.3,
	level: 1e-6,
	suspects: [
		suspect('n-gram student, marked', 11_111_117, {
			log10P: -60.31,
			mean: 0.5437,
			verdict: 'trained-on-marked',
		}),
		suspect('n-gram student, unmarked', 22_222_223, { log10P: -0.35, mean: 0.5003, verdict: 'no-evidence' }),
		suspect('transformer student, marked', 33_333_331, {
			log10P: -11.8,
			mean: 0.5188,
			verdict: 'trained-on-marked',
		}),
		suspect('transformer student, unmarked', 44_444_443, {
			log10P: -1.42,
			mean: 0.5041,
			verdict: 'no-evidence',
		}),
		suspect('transformer student, other key', 55_555_559, {
			log10P: -0.08,
			mean: 0.4969,
			verdict: 'no-evidence',
		}),
		suspect(
			'base, untrained on the teacher',
			66_666_667,
			{ log10P: -0.61, mean: 0.5017, verdict: 'too-little-data' },
			{ scored: 812 },
		),
	],
	passage: { title: 'Marked text, answer 1', tokens: passageTokens() },
	commands: [
		'touchmark detect --keyring touchmark-demo/keyring.json touchmark-demo/marked-text.jsonl',
		"touchmark radioactivity --keyring touchmark-demo/keyring.json --suspect 'touchmark-demo/n-gram-student-marked.jsonl'",
	],
};
