/**
 * Prefixes to ask a suspect after, out of texts that no key has touched: those that tell most come first.
 *
 * @module
 */
import { readTextDocuments } from '../corpus/documents.js';
import type { Tokenizer } from '../corpus/tokenizer.js';
import { badInput } from '../errors.js';
import { predictAlong } from '../model/predict.js';
import { newInformativePrefixes } from '../verify/informative.js';
import { openModel } from './own-models.js';
import { LEAST_LISTED } from './places.js';
import { readTraffic } from './suspects.js';

/**
 * Ids before a place. After less a model does not yet do what it learned: contexts that stand alone show nothing (`until` in
 * docs/benchmarks.md).
 */
const SHORTEST = 16;

/** What to choose from, and by what. */
export interface Choice {
	/** Files of texts, prompt and text in one. */
	readonly probes: readonly string[];
	/** The provider's unmarked model. */
	readonly model: string;
	/** Unmarked text of the provider. */
	readonly traffic: string;
	readonly contextWidth: number;
	/** Tokens that the suspect lists. */
	readonly shown: number;
}

/**
 * All beginnings of the texts of 16 ids and more that can count, the most informative first; their ids are `text/tokens`.
 *
 * @throws TouchmarkError `bad-input` for a model with another tokenizer than the mark's, or texts without such a beginning
 */
export async function informativePrefixes(
	{ probes, model: name, traffic, contextWidth, shown }: Choice,
	tokenizer: Tokenizer,
): Promise<{ id: string; prefix: number[] }[]> {
	const { model, other } = openModel(name, tokenizer);
	if (other !== null)
		throw badInput(`${name}: has another tokenizer than the mark; give the marked model unmarked`);
	const counts = (await readTraffic(traffic, tokenizer))(contextWidth);
	if (counts === undefined) throw badInput('--traffic: is needed with --probe');
	const texts: number[][] = [];
	for (const path of probes)
		for await (const { text, prompt = '' } of readTextDocuments(path))
			texts.push([...tokenizer.encode(prompt), ...tokenizer.encode(text)]);
	const prefixes = newInformativePrefixes(counts, shown);
	const found: { id: string; prefix: number[] }[] = [];
	predictAlong(
		[model],
		texts,
		LEAST_LISTED,
		(text, at, [own]) => {
			const prefix = texts[text].slice(0, at);
			found.push({ id: `${text + 1}/${at}`, prefix });
			prefixes.add(prefix, own);
		},
		(_, at) => at >= Math.max(SHORTEST, contextWidth),
	);
	const order = prefixes.order();
	if (order.length === 0)
		throw badInput(`${probes.join(', ')}: no beginning of these texts ends in a context of the traffic`);
	return order.map((number) => found[number]);
}
