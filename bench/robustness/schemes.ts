/**
 * The schemes of the bench `robustness`: ours by default parameters, and those that other systems can be configured with.
 *
 * @module
 */
import type { Random } from '../../src/embed/random.js';
import { type Compatible, compatibleMark, defaultMarks } from '../../src/marks/defaults.js';
import { toHfConfig } from '../../src/marks/hf-config.js';
import { bindMark, type Mark } from '../../src/marks/mark.js';
import type { MarkSpec, MarkTemplate } from '../../src/marks/mark-spec.js';
import { toVllmConfig } from '../../src/marks/vllm-config.js';
import { freshKey, specOf } from '../fresh-marks.js';
import { type PeerDetector, transformersKgw, transformersSynthid, vllmDetector } from './peer-detectors.js';
import { TEMPERATURE, TEXT_TOKENS } from './writing.js';

/** Marks of one fleet under keys of its own. */
export interface Keyed {
	readonly marks: readonly [Mark, ...Mark[]];
	/** What the peer is configured with. */
	readonly config?: object;
}

/** One scheme as it is deployed and tested. */
export interface Scheme {
	readonly name: string;
	/** Heading of its figure. */
	readonly title: string;
	/** Schemes of one name here are tests of the same texts. */
	readonly texts: string;
	/** Steps that the choice channel leaves to chance; other systems leave none. */
	readonly unkeyedShare: number;
	/** Whether the second test, for edited gumbel text, is declared too. */
	readonly edited: boolean;
	/** Whether a text is judged by its rank among held-out keys: so dear that fewer texts are tried. */
	readonly ranked: boolean;
	readonly keyed: (random: Random) => Keyed;
	readonly peer?: PeerDetector;
}

const UNKEYED = 0.1;
const prf = 'chacha8-v1';

function bind(spec: MarkSpec, random: Random): Mark {
	return bindMark(spec, freshKey(spec, random));
}

/** Ours: several marks of one text have keys of their own. */
function ours(
	name: string,
	title: string,
	specs: readonly [MarkSpec, ...MarkSpec[]],
	{ texts = name, edited = false, ranked = false } = {},
): Scheme {
	return {
		...{ name, title, texts, edited, ranked },
		unkeyedShare: UNKEYED,
		keyed: (random) => {
			const [first, ...others] = specs;
			return { marks: [bind(first, random), ...others.map((spec) => bind(spec, random))] };
		},
	};
}

/** Another system's, at its default parameters. */
function compatible(
	kind: Compatible,
	title: string,
	vocabSize: number,
	peer?: PeerDetector,
	configOf?: (spec: MarkSpec, key: Uint8Array) => Record<string, unknown>,
): Scheme {
	const template = compatibleMark(kind, { deployment: 'robustness', tokenizer: null, vocabSize });
	const spec: MarkSpec = { ...template, commitment: null };
	return {
		...{ name: kind, title, texts: kind, edited: false, ranked: false },
		unkeyedShare: 0,
		keyed: (random) => {
			const key = freshKey(spec, random);
			return {
				marks: [bindMark(spec, key)],
				...(configOf === undefined ? {} : { config: configOf(spec, key) }),
			};
		},
		...(peer === undefined ? {} : { peer }),
	};
}

/** All of them. @param vocabSize of the model that writes */
export function schemesFor(vocabSize: number): Scheme[] {
	const template = (one: MarkTemplate): MarkSpec => ({ ...one, commitment: null });
	const [shape, choice] = defaultMarks('robustness', '0'.repeat(64)).map(template);
	const lists = { gamma: 0.25, delta: 2 } as const;
	const hf = (spec: MarkSpec, key: Uint8Array) => ({ ...toHfConfig(spec, key), vocab_size: vocabSize });
	return [
		ours('default', 'both default marks: one tournament layer (width 1) and gumbel (width 4)', [
			shape,
			choice,
		]),
		ours('synthid-1', 'one tournament layer as a shape, width 1', [shape]),
		ours('gumbel', 'gumbel, width 4', [choice]),
		ours('gumbel, edited', 'gumbel, width 4, with the second test for edited text', [choice], {
			texts: 'gumbel',
			edited: true,
		}),
		ours('dual_key_gumbel', 'gumbel with two keys, width 4', [
			specOf({ scheme: { name: 'dual_key_gumbel', alpha: 0.1 }, prf, contextWidth: 4 }),
		]),
		ours('synthid-30', 'tournament of 30 layers, width 4', [
			specOf({ scheme: { name: 'synthid', depth: 30 }, prf, contextWidth: 4 }),
		]),
		ours('kgw', 'green lists, γ ¼, δ 2, width 1', [
			specOf({ scheme: { name: 'kgw', ...lists }, prf, contextWidth: 1 }),
		]),
		ours('unigram', 'one green list, γ ½, δ 2', [
			specOf({ scheme: { name: 'unigram', gamma: 0.5, delta: 2 }, prf, contextWidth: 0 }),
		]),
		// Its authors' λ of 16, which they add before they divide by the temperature, and we after.
		ours('adfp', 'green lists weighted by a proxy model, γ ½, λ 16, width 1', [
			specOf({ scheme: { name: 'adfp', gamma: 0.5, lambda: 16 / TEMPERATURE }, prf, contextWidth: 1 }),
		]),
		compatible(
			'hf-kgw',
			'green lists as transformers has them, γ ¼, δ 2, width 1',
			vocabSize,
			transformersKgw,
			hf,
		),
		compatible(
			'hf-selfhash',
			'green lists as transformers has them with selfhash, γ ¼, δ 2, width 3',
			vocabSize,
			transformersKgw,
			hf,
		),
		compatible(
			'hf-synthid',
			'SynthID as transformers has it, 30 layers, width 4',
			vocabSize,
			transformersSynthid,
			hf,
		),
		compatible('vllm', 'gumbel as vLLM has it, width 4', vocabSize, vllmDetector('gumbel'), toVllmConfig),
		compatible(
			'vllm-dual',
			'gumbel with two keys as vLLM has it, width 4',
			vocabSize,
			vllmDetector('dual'),
			toVllmConfig,
		),
		compatible('vllm-sbw', "green coins as vLLM's sbw has them, self-hash, γ ½, δ 2, width 3", vocabSize),
		compatible('vllm-red-green', "green lists as vLLM's red_green has them, γ ¼, δ 2, width 4", vocabSize),
		ours(
			'exp-edit',
			`draws along a key of ${TEXT_TOKENS} positions, by alignment`,
			[specOf({ scheme: { name: 'exp-edit', keyLength: TEXT_TOKENS }, prf, contextWidth: 0 })],
			{ ranked: true },
		),
	];
}
