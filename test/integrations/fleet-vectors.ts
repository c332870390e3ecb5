/**
 * Vectors that the Python package (`integrations/python`) must give to the bit: fields, codewords, and whole sessions of
 * `createMarker` over logits that both sides compute from a keystream. `npx tsx test/integrations/fleet-vectors.ts` writes
 * the file.
 *
 * @module
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { specOf } from '../../bench/fresh-marks.js';
import { createMarker, type Generation, type StartOptions } from '../../src/embed/marker.js';
import { commit, deriveKey, deriveMarkKey } from '../../src/keys/derive.js';
import { bindOpenedMark, type OpenedMark } from '../../src/keys/opened-mark.js';
import { cohortMark, tracingMarks } from '../../src/marks/defaults.js';
import type { MarkTemplate } from '../../src/marks/mark-spec.js';
import { chacha8 } from '../../src/prf/chacha8.js';
import type { FieldBits } from '../../src/prf/prf.js';

export const FILE = fileURLToPath(new URL('../vectors/fleet.json', import.meta.url));

const secret = sha256(utf8ToBytes('touchmark fleet vectors: a test ring that marks nothing in earnest'));

function opened(template: MarkTemplate): OpenedMark {
	const { commitment: _, ...bare } = template as MarkTemplate & { commitment?: null };
	const key = deriveMarkKey(secret, bare);
	const salt = deriveKey(secret, 'commitment-salt', bare);
	return {
		format: 'touchmark-opened-mark',
		version: 1,
		spec: { ...bare, commitment: commit(salt, key, bare) },
		key: bytesToHex(key),
		salt: bytesToHex(salt),
		logged: null,
	};
}

const [shape, choice, account] = tracingMarks('fleet', '0'.repeat(64));
const list = (gamma: number, delta: number) => ({ name: 'kgw', gamma, delta }) as const;
const common = { prf: 'chacha8-v1', deployment: 'fleet' } as const;
const MARKS = {
	shape,
	choice,
	account,
	farms: cohortMark(shape, 'farms'),
	grouped: { ...account, code: { symbols: 4, positions: 64, groups: 256 } },
	lists: specOf({ ...common, scheme: list(0.25, 2), contextWidth: 1 }),
	halves: specOf({ ...common, scheme: list(0.5, 1.37), contextWidth: 2, start: 'pad' }),
	least: specOf({ ...common, scheme: { ...list(0.125, 3.1), seeding: 'min' }, contextWidth: 3 }),
	unigram: specOf({ ...common, scheme: { name: 'unigram', gamma: 0.5, delta: 0.7 }, contextWidth: 0 }),
	deep: specOf({ ...common, scheme: { name: 'synthid', depth: 5 }, contextWidth: 2, channel: 'shape' }),
	wide: specOf({ ...common, scheme: { name: 'gumbel' }, contextWidth: 8, start: 'pad' }),
	resellers: cohortMark(specOf({ ...common, scheme: list(0.5, 2), contextWidth: 1 }), 'resellers'),
} as const satisfies Record<string, MarkTemplate>;
type Name = keyof typeof MARKS;

/** What is asked of both sides. */
interface Session {
	readonly marks: readonly Name[];
	readonly vocabSize: number;
	readonly specialTokens: readonly number[];
	readonly unkeyedShare: number;
	readonly requests: readonly (Omit<StartOptions, 'prompt'> & { prompt?: number[] })[];
	/** Another candidate of the first request. */
	readonly forks: number;
	readonly steps: number;
	/** Logits go from 0 to this. */
	readonly span: number;
	/** Before this step every request begins a segment that is marked or not. */
	readonly segmentAt?: { readonly step: number; readonly marked: boolean };
}

const plain: Session = {
	marks: ['shape', 'choice', 'account', 'farms'],
	vocabSize: 300,
	specialTokens: [0, 7],
	unkeyedShare: 0.1,
	requests: [{ id: 'a', seed: 's', account: 'p1' }],
	forks: 0,
	steps: 60,
	span: 12,
};
const requests = (count: number, of: (i: number) => Session['requests'][number]) =>
	Array.from({ length: count }, (_, i) => ({ id: `r${i}`, seed: `seed ${i}`, ...of(i) }));
const sampling = [
	{ temperature: 1 },
	{ temperature: 0.7 },
	{ temperature: 1.3, topK: 40 },
	{ temperature: 0.9, topP: 0.8 },
	{ temperature: 1, topK: 100, topP: 0.95 },
	{ temperature: 0 },
];
const SESSIONS: readonly Session[] = [
	plain,
	{
		...plain,
		steps: 90,
		requests: requests(6, (i) => ({
			sampling: sampling[i],
			prompt: Array.from({ length: 10 * i }, (_, k) => (k * k + i) % 300),
			...(i % 2 ? { account: `pseudonym ${i}` } : {}),
			...(i % 3 ? {} : { cohort: 'farms' }),
		})),
	},
	{
		...plain,
		marks: ['lists', 'wide', 'grouped', 'resellers'],
		span: 4,
		requests: requests(4, (i) => ({
			sampling: sampling[i],
			account: `γ${i}`,
			...(i > 1 ? { cohort: 'resellers' } : {}),
		})),
	},
	{
		...plain,
		marks: ['halves', 'least', 'choice'],
		unkeyedShare: 0,
		requests: requests(3, (i) => ({ sampling: sampling[i + 2] })),
	},
	{
		...plain,
		marks: ['unigram', 'deep', 'account'],
		requests: requests(3, (i) => ({ sampling: sampling[i], account: 'p' })),
	},
	{
		...plain,
		requests: requests(4, (i) => ({
			account: 'p1',
			marked: i !== 1,
			...(i === 2 ? { choice: 'off' as const } : {}),
		})),
		segmentAt: { step: 30, marked: false },
	},
	{
		...plain,
		segmentAt: { step: 20, marked: true },
		forks: 3,
		vocabSize: 12,
		specialTokens: [],
		span: 1,
		steps: 120,
	},
	{
		...plain,
		vocabSize: 5000,
		steps: 25,
		requests: requests(5, (i) => ({ sampling: sampling[i], account: 'p2' })),
	},
	{
		...plain,
		marks: ['shape', 'choice', 'account', 'lists'],
		vocabSize: 128_256,
		steps: 9,
		span: 16,
		requests: requests(10, (i) => ({ sampling: sampling[i % 5], account: `p${i % 3}` })),
	},
	{ ...plain, marks: [], requests: requests(2, (i) => ({ sampling: sampling[i] })) },
];

/** Logits of a row: words of a keystream after (session, step, row), evenly from 0 to `span`; every 17th word of all is −Infinity. */
const stream = chacha8(sha256(utf8ToBytes('touchmark fleet vectors: logits')));
function rowOf(session: number, step: number, row: number, vocabSize: number, span: number): Float32Array {
	const words = new Uint32Array(vocabSize);
	stream.fields([session, step, row], 32, words);
	return Float32Array.from(words, (word) => (word % 17 === 0 ? -Infinity : (word / 2 ** 32) * span));
}

function run(session: Session, index: number) {
	const marker = createMarker({
		...session,
		marks: session.marks.map((name) => bindOpenedMark(opened(MARKS[name]), name).mark),
	});
	const generations: Generation[] = session.requests.map((request) => marker.start(request));
	for (let i = 0; i < session.forks; i++) generations.push(generations[0].fork());
	for (let step = 0; step < session.steps; step++) {
		if (session.segmentAt?.step === step)
			for (const generation of generations) generation.segment('tool-call', session.segmentAt.marked);
		const logits = new Float32Array(generations.length * session.vocabSize);
		generations.forEach((_, row) => {
			logits.set(rowOf(index, step, row, session.vocabSize, session.span), row * session.vocabSize);
		});
		marker.step(generations, logits);
	}
	return generations.map((generation) => {
		const { salt: _, outputHash: __, time: ___, ...receipt } = generation.finish();
		return { tokens: [...generation.tokens], receipt };
	});
}

/** Fields of one key after contexts of several widths. */
function fieldsOf(width: number, bits: FieldBits) {
	const context = Array.from({ length: width }, (_, i) => (i === 1 ? 0xffffffff : 1000 * i + width));
	const prf = chacha8(secret);
	const first = new Uint32Array(40);
	prf.fields(context, bits, first);
	const tokens = [511, 512, 4095, 128_255, 2 ** 27 - 1];
	return {
		context,
		bits,
		first: [...first],
		tokens,
		fields: tokens.map((token) => prf.field(context, token, bits)),
	};
}

/** Everything, as the file holds it. */
export function fleetVectors() {
	const marks = Object.values(MARKS).map(opened);
	return {
		marks,
		prf: {
			key: bytesToHex(secret),
			cases: [0, 1, 2, 3, 4, 5, 7, 8, 9].flatMap((width) =>
				([1, 8, 32] as const).map((bits) => fieldsOf(width, bits)),
			),
		},
		bound: marks.map((file, i) => {
			const { mark } = bindOpenedMark(file, `mark ${i}`);
			const width = mark.spec.contextWidth;
			const contexts = Array.from({ length: 32 }, (_, k) =>
				Array.from({ length: width }, (_, j) => 31 * k + j),
			);
			const { code } = mark;
			return {
				id: mark.id,
				contexts,
				covered: contexts.map((context) => mark.covers(context)),
				...(code && {
					positions: contexts.map((context) => code.position(context)),
					codewords: ['p1', 'pseudonym 3', 'γ1'].map((name) => ({
						name,
						word: bytesToHex(code.codeword(name)),
					})),
					turns: [0, 1, code.symbols - 1].map((symbol) => code.turn(symbol)),
				}),
			};
		}),
		sessions: SESSIONS.map((session, i) => ({
			...session,
			marks: session.marks.map((name) => Object.keys(MARKS).indexOf(name)),
			answers: run(session, i),
		})),
	};
}

if (process.argv[1] === fileURLToPath(import.meta.url))
	writeFileSync(FILE, `${JSON.stringify(fleetVectors())}\n`);
