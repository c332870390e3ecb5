/**
 * Which scheme tells accounts apart best, and what it costs; two-level codes at ten million accounts.
 *
 * @module
 */
import { randomStream } from '../src/embed/random.js';
import * as laws from './attribution-laws.js';
import { attributionRow as row } from './attribution-laws.js';
import { records } from './attribution-records.js';
import type { Bench, Row } from './rows.js';

const ENTROPIES = [0.25, 0.5, 1, 2, 3, 4];
const TOKENS = 200;
const random = randomStream('attribution');

const mean = (count: number, one: () => number): number => {
	let sum = 0;
	for (let i = 0; i < count; i++) sum += one();
	return sum / count;
};

/** Nats a token of ours and of every alternative, at each entropy. */
function evidence(texts: number): Row[] {
	const ours = { symbols: 16, positions: 256 };
	return ENTROPIES.flatMap((entropy) => {
		const law = laws.zipf(entropy);
		const drawn = () => laws.drawnFrom(law, TOKENS, random);
		const per = (one: () => number, count = texts) => mean(count, one) / TOKENS;
		const base = per(() => laws.turnedEvidence(ours, drawn(), 1, random));
		const peers: [string, number][] = [
			...[2, 4, 8, 32, 64].map((symbols): [string, number] => [
				`${symbols} symbols`,
				per(() => laws.turnedEvidence({ ...ours, symbols }, drawn(), 1, random)),
			]),
			['a key or a shift an account', per(() => laws.keyEvidence(drawn(), random))],
			['Reed–Solomon (15, 9), 3 errors', per(() => laws.readOutEvidence(drawn(), 15, 3, random))],
			['symbols read out, random code', per(() => laws.readOutEvidence(drawn(), 256, undefined, random))],
			[
				'Tardos, 1,024 bits',
				per(() => laws.turnedEvidence({ symbols: 2, positions: 1024, biased: true }, drawn(), 1, random)),
			],
			['tournament, XOR', per(() => laws.tournamentEvidence(law, TOKENS, random))],
		];
		return peers.map(([name, nats]) => row(`evidence@${entropy}`, base, nats, name, 'nats a token'));
	});
}

/** Several accounts in one text: nats a token against each. */
function mixtures(texts: number): Row[] {
	const law = laws.zipf(2);
	return [1, 2, 5, 10].map((accounts) => {
		const drawn = () => laws.drawnFrom(law, 400 * accounts, random);
		const nats = (code: laws.Turned) =>
			mean(texts / 4, () => laws.turnedEvidence(code, drawn(), accounts, random)) / (400 * accounts);
		const ours = nats({ symbols: 16, positions: 256 });
		const tardos = nats({ symbols: 2, positions: 1024, biased: true });
		return row(`mixture@${accounts}`, ours, tardos, 'Tardos, 1,024 bits', 'nats a token an account');
	});
}

/** Scores on texts whose tokens come from laws of every entropy. */
function scores(texts: number): Row[] {
	const all = ENTROPIES.map(laws.zipf);
	const drawn = () =>
		Array.from(
			{ length: TOKENS },
			() => laws.drawnFrom(all[Math.floor(random.next() * all.length)], 1, random)[0],
		);
	const sample = Array.from({ length: 10 }, drawn).flat();
	/** The likelihood ratio of the mixture itself: the density of U^p, averaged over drawn tokens. */
	const ratio: laws.Score = (u) =>
		Math.log(sample.reduce((sum, p) => sum + u ** (1 / p - 1) / p, 1e-9) / sample.length);
	const knots = Float64Array.from({ length: 4097 }, (_, i) => ratio(Math.min(1 - 2 ** -20, i / 4096)));
	const tabled: laws.Score = (u) =>
		knots[Math.floor(u * 4096)] +
		((u * 4096) % 1) * (knots[Math.floor(u * 4096) + 1] - knots[Math.floor(u * 4096)]);
	const contenders: [string, laws.Score][] = [
		['capped at 3', (u) => Math.min(3, laws.logScore(u))],
		['capped at 5', (u) => Math.min(5, laws.logScore(u))],
		['likelihood ratio of the mixture', tabled],
	];
	const lists = Array.from({ length: texts }, drawn);
	// One stream for each score: the same codewords, positions and draws.
	const nats = (score: laws.Score) => {
		const same = randomStream('scores');
		return (
			lists.reduce(
				(sum, text) => sum + laws.turnedEvidence({ symbols: 16, positions: 256, score }, text, 1, same),
				0,
			) /
			texts /
			TOKENS
		);
	};
	const ours = nats(laws.logScore);
	return contenders.map(([name, score]) => row('score', ours, nats(score), name, 'nats a token'));
}

export const bench: Bench = {
	about:
		'The account layer (16 symbols, 256 positions) beside other ways to tell accounts apart. `evidence@H`: −ln p of the ' +
		'right account a token, texts of 200 tokens, Zipf laws of entropy H nats, every context new; mixtures at 2 nats, 400 ' +
		'tokens an account; `score` on tokens of all six entropies. `named`: texts of the embedded teacher with the deployment ' +
		'on half of the contexts, family-wise 1e-6 a record. Peers as [attribution](attribution.md) describes them.',
	async run({ quick }) {
		const texts = quick ? 8 : 80;
		const real = await records(quick ? 16 : 128, quick ? 100_000 : 10_000_000, random);
		return {
			rows: [...evidence(texts), ...mixtures(texts), ...scores(texts), ...real.rows],
			notes: real.notes,
		};
	},
};
