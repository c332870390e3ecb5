/**
 * Accounts of real texts: how many are named, how often wrongly, and what it costs.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { createMarker, type Marker } from '../src/embed/marker.js';
import { randomStream } from '../src/embed/random.js';
import { embeddedTokenizer } from '../src/generate/embedded.js';
import { codewordThreshold } from '../src/stats/codeword-bound.js';
import { newAccountSearch } from '../src/verify/account-search.js';
import { accountPairs, accountTable, codeOf } from '../src/verify/account-table.js';
import { newCodebook } from '../src/verify/codebook.js';
import { detect } from '../src/verify/detect.js';
import { newPairSet } from '../src/verify/pairs.js';
import { newTrace } from '../src/verify/trace.js';
import { corpusRecords, repositoryTexts } from './calibration.js';
import { falseNames } from './false-names.js';
import { freshLayers } from './fresh-marks.js';
import { smollm2Logits, widened } from './real-logits.js';
import { type Bench, interleave, type Row } from './rows.js';
import { cut, type EditedText, mixed, neededEvidence, replaced } from './traced-edits.js';
import { ACCOUNTS, smollm2Texts, type TracedTexts, teacherTexts } from './traced-texts.js';

const LEVEL = 1e-6;
const NEEDED = neededEvidence(ACCOUNTS.length, LEVEL);
/** Expected evidence over the evidence that a name takes. */
const BINS = [0, 0.5, 1, 1.5, 2, Infinity];

/** How many texts of a group name their account, and how many somebody else. */
interface Named {
	texts: number;
	right: number;
	wrong: number;
}

function nothing(): Named {
	return { texts: 0, right: 0, wrong: 0 };
}

/** Traces edited texts; by bin of expected evidence. */
function nameAll({ marks }: TracedTexts, texts: readonly EditedText[]): Named[] {
	const trace = newTrace({ marks, accounts: ACCOUNTS, level: LEVEL });
	const bins = BINS.slice(1).map(nothing);
	for (const { tokens, account, expected } of texts) {
		const own = bins[BINS.findLastIndex((from) => expected / NEEDED >= from)];
		const { named } = trace.add({ id: '', tokens });
		own.texts++;
		if (named.some((one) => one.account === account)) own.right++;
		own.wrong += named.filter((one) => one.account !== account).length;
	}
	return bins;
}

function sum(groups: readonly Named[]): Named {
	return groups.reduce(
		(all, one) => ({
			texts: all.texts + one.texts,
			right: all.right + one.right,
			wrong: all.wrong + one.wrong,
		}),
		nothing(),
	);
}

function namedRow(name: string, { texts, right }: Named, peer = 0.95): Row {
	const ours = right / texts;
	return {
		...{ case: name, ours, peer, peerName: 'goal' },
		...{ unit: `share of ${texts} texts named`, ratio: ours / peer },
	};
}

/** Naming: whole and cut texts by expected evidence; then what was done to them. */
function naming(sets: readonly TracedTexts[], quick: boolean): { rows: Row[]; notes: string[] } {
	const random = randomStream('trace/edits');
	const rows: Row[] = [];
	const notes: string[] = [];
	const curve: Named[][] = [];
	const edits = new Map<string, Named[][]>();
	let wrong = 0;
	for (const set of sets) {
		const longest = Math.max(...set.texts.map(({ tokens }) => tokens.length));
		const lengths = [0.25, 0.5, 0.75, 1].map((share) => Math.round(share * longest));
		const bins = nameAll(
			set,
			lengths.flatMap((length) => set.texts.map((text) => cut(text, length))),
		);
		curve.push(bins);
		const vocabulary = set.texts.flatMap(({ tokens }) => tokens);
		const whole = nameAll(
			set,
			set.texts.map((text) => cut(text)),
		);
		const forms: Record<string, EditedText[]> = {
			'100 tokens': set.texts.map((text) => cut(text, 100)),
			'10 % replaced': set.texts.map((text) => replaced(text, 0.1, vocabulary, random)),
			'20 % replaced': set.texts.map((text) => replaced(text, 0.2, vocabulary, random)),
		};
		const own = [sum(whole)];
		for (const [name, texts] of Object.entries(forms)) {
			const found = nameAll(set, texts);
			edits.set(name, [...(edits.get(name) ?? []), found]);
			own.push(sum(found));
		}
		wrong += [...own, ...bins].reduce((total, one) => total + one.wrong, 0);
		const share = ({ right, texts }: Named) => `${((100 * right) / texts).toFixed(0)} %`;
		const mean = set.texts.reduce((total, text) => total + cut(text).expected / set.texts.length, 0);
		notes.push(
			`${set.model} at temperature ${set.temperature}: ${set.texts.length} texts of up to ${longest} tokens, expected ` +
				`evidence ${mean.toFixed(0)} nats on average (a name takes ${NEEDED.toFixed(1)}); named: whole ${share(own[0])}, cut to 100 tokens ${share(own[1])}, ` +
				`10 % replaced ${share(own[2])}, 20 % replaced ${share(own[3])}.`,
		);
	}
	const bin = (groups: readonly Named[][], i: number) => sum(groups.map((bins) => bins[i]));
	const last = BINS.length - 2;
	rows.push(namedRow('named', bin(curve, last)));
	for (const [name, groups] of edits) {
		const enough = bin(groups, last);
		if (enough.texts > 0) rows.push(namedRow(`named, ${name}`, enough));
	}
	for (let i = 0; i < last; i++)
		rows.push(namedRow(`named, ${BINS[i]} to ${BINS[i + 1]} of the evidence`, bin(curve, i), 1));
	notes.push(
		`A name takes ln(${ACCOUNTS.length} / ${LEVEL}) = ${NEEDED.toFixed(1)} nats; rows named without a share of it are texts that can be expected to have twice that. ` +
			`Wrong names in all of these: ${wrong}.${quick ? ' Quick.' : ''}`,
	);
	return { rows, notes };
}

/** Parts of two accounts' texts joined: names of a third. */
function mixing(sets: readonly TracedTexts[], trials: number): Row {
	let third = 0;
	let done = 0;
	for (const { marks, texts } of sets) {
		const random = randomStream('trace/mixed');
		const trace = newTrace({ marks, accounts: ACCOUNTS, level: LEVEL });
		for (let i = 0; i < trials / sets.length; i++) {
			const one = texts[Math.floor(texts.length * random.next())];
			const other = texts[Math.floor(texts.length * random.next())];
			if (one.tokens.length < 40 || other.tokens.length < 40) continue;
			const { named } = trace.add({ id: '', tokens: mixed(one, other, random) });
			done++;
			if (named.some(({ account }) => account !== one.account && account !== other.account)) third++;
		}
	}
	return {
		...{ case: 'mixed', ours: third, peer: done * LEVEL, peerName: 'trials × level' },
		...{
			unit: `texts of two accounts that name a third, of ${done}`,
			ratio: third === 0 ? 1 : (done * LEVEL) / third,
		},
	};
}

/** Accounts that fit and are not found, since the first fold of their codeword looked less likely than chance. */
function lost({ marks, texts }: TracedTexts): { fit: number; lost: number } {
	const [, deployment, account] = marks;
	const code = codeOf(account);
	const codebook = newCodebook(code, ACCOUNTS.length, (i) => code.codeword(ACCOUNTS[i]));
	const all = newAccountSearch(code, ACCOUNTS, 0);
	const logLevel = -NEEDED;
	let fit = 0;
	let gone = 0;
	for (const { tokens, account: owner } of texts)
		for (let length = 40; length <= tokens.length; length += 20) {
			const pairs = newPairSet(account.spec);
			pairs.add(tokens.slice(0, length));
			const own = accountPairs(pairs, account, deployment);
			const table = accountTable(code, own);
			const index = ACCOUNTS.indexOf(owner);
			if (codebook.sum(table, index) < codewordThreshold(table, logLevel).score) continue;
			fit++;
			const { named } = all.search(own, logLevel + Math.log(ACCOUNTS.length));
			if (!named.some((one) => one.account === index)) gone++;
		}
	return { fit, lost: gone };
}

/** Time a record from text, a tenth of the records marked. */
async function cost(teacher: TracedTexts, quick: boolean): Promise<Row[]> {
	const tokenizer = embeddedTokenizer();
	const [, deployment] = teacher.marks;
	const marked = teacher.texts.slice(0, 64).map(({ tokens }) => tokenizer.decode(tokens));
	const length = teacher.texts[0].tokens.length;
	const plain = Object.values(repositoryTexts(length))
		.flat()
		.map(({ tokens }) => tokenizer.decode(tokens));
	const texts = Array.from({ length: 640 }, (_, i) =>
		i % 10 === 0 ? marked[i / 10] : plain[i % plain.length],
	);
	const tracingAt = (gate: number) => {
		const own = newTrace({ marks: teacher.marks.slice(0, 3), accounts: ACCOUNTS, gate });
		return () => {
			for (const text of texts) own.add({ id: '', tokens: tokenizer.encode(text) });
		};
	};
	const [detection, tracing, ungated] = await interleave(quick ? 3 : 9, [
		() => {
			for (const text of texts) detect('', tokenizer.encode(text), [deployment]);
		},
		tracingAt(0.01),
		tracingAt(1),
	]);
	const row = (name: string, ours: number): Row => ({
		...{ case: name, ours: (1000 * ours) / texts.length, peer: (1000 * detection) / texts.length },
		...{
			peerName: 'detection alone',
			unit: `µs a record of ${length} tokens, from text`,
			ratio: detection / ours,
		},
	});
	return [row('detection', tracing), row('detection, ungated', ungated)];
}

/** Steps of an answer that is timed. */
const STEPS = 64;

/** Time a step of three layers beside one. */
async function embedding(quick: boolean): Promise<Row[]> {
	const random = randomStream('trace/embed');
	const marks = freshLayers(random, ['cohort']);
	const one = freshLayers(random);
	const rows = smollm2Logits();
	const found: Row[] = [];
	for (const vocabSize of [49_152, 128_256]) {
		const logits = vocabSize === 49_152 ? rows : rows.map((row) => widened(row, vocabSize));
		const run = (marker: Marker, request: object) => () => {
			const generation = marker.start({ seed: 'embed', ...request });
			for (let step = 0; step < STEPS; step++) marker.step([generation], logits[step % logits.length]);
		};
		const layered = createMarker({ marks, vocabSize });
		const single = createMarker({
			marks: one.slice(0, 2).map((mark) => ({ ...mark, covers: () => true })),
			vocabSize,
		});
		const [three, alone] = await interleave(quick ? 3 : 15, [
			run(layered, { account: 'a', cohort: 'cohort' }),
			run(single, {}),
		]);
		found.push({
			...{
				case: `embed@${vocabSize}`,
				ours: (1000 * three) / STEPS,
				peer: (1000 * alone) / STEPS,
			},
			...{ peerName: 'the deployment layer alone', unit: 'µs a step, three layers', ratio: alone / three },
		});
	}
	return found;
}

export const bench: Bench = {
	about:
		'`touchmark trace` with 24,000 accounts on texts under all three layers (shape and keyed draw of the deployment, a cohort, the account layer), by the ' +
		'embedded teacher and by SmolLM2-135M-Instruct (in node-llama-cpp, from the GGUF file that TOUCHMARK_TEST_GGUF names). What evidence a text ' +
		'can be expected to have follows from the distributions that it was drawn from, not from keys. Records that nobody was served are those of `--corpus`, or else ' +
		'pieces of this repository’s texts, each under fresh keys round after round, ungated.',
	async run({ quick, corpus }) {
		const sets = [0.7, 1].map((temperature) => teacherTexts(quick ? 64 : 1000, temperature));
		if (!quick)
			for (const [temperature, length] of [
				[0.7, 450],
				[1, 250],
			]) {
				const texts = await smollm2Texts(100, temperature, length);
				if (texts !== null) sets.push(texts);
			}
		const { rows, notes } = naming(sets, quick);
		const { fit, lost: gone } = lost({ ...sets[0], texts: sets[0].texts.slice(0, quick ? 10 : 500) });
		notes.push(
			`Of ${fit} texts whose account’s codeword fits, the search lost ${gone}: its first fold looked less likely than chance.`,
		);
		const records =
			corpus !== undefined && existsSync(corpus)
				? corpusRecords(corpus, Infinity).flat()
				: Object.values(repositoryTexts(200)).flat();
		const said = process.stderr.isTTY
			? (tests: number) => process.stderr.write(`${tests} record tests\n`)
			: undefined;
		const wrong = falseNames(records, quick ? 3000 : 1_000_000, said);
		const falseRow = (level: '1e-9' | '1e-2'): Row => ({
			...{ case: `false-names@${level}`, ours: wrong.named[level], peer: wrong.tests * Number(level) },
			...{ peerName: 'tests × level', unit: `of ${wrong.tests} record tests` },
			ratio: wrong.named[level] === 0 ? 1 : (wrong.tests * Number(level)) / wrong.named[level],
		});
		notes.push(
			`False names: ${records.length} records, ${wrong.keys} fresh keys with 24,000 fresh codewords each; least corrected log10 p ${wrong.least.toFixed(1)}.`,
		);
		return {
			rows: [
				...(await cost(sets[1], quick)),
				...rows,
				{ ...falseRow('1e-9'), case: 'false-names' },
				falseRow('1e-2'),
				mixing(sets, quick ? 500 : 10_000),
				...(await embedding(quick)),
			],
			notes,
		};
	},
};
