/**
 * Marked records to plant in a corpus: by the embedded model, under a key ring of the seed, of many lengths.
 *
 * @module
 */
import { availableParallelism } from 'node:os';
import { sha256 } from '@noble/hashes/sha2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import Tinypool from 'tinypool';
import { logUniformLength } from '../src/benchmark/lengths.js';
import { createMarker } from '../src/embed/marker.js';
import { randomStream } from '../src/embed/random.js';
import { embeddedModel, embeddedPrompts, embeddedTokenizer } from '../src/generate/embedded.js';
import { longTexts } from '../src/generate/long-texts.js';
import { createKeyring, type Keyring } from '../src/keys/keyring.js';
import { defaultMarks } from '../src/marks/defaults.js';
import type { TextRecord } from './scan-corpus.js';

/** A marked record. */
export interface PlantedRecord extends TextRecord {
	/** Ids as they were drawn; text that is tokenized again can have others. */
	readonly tokens: readonly number[];
}

/** Marked records and the ring of their marks. */
export interface Planted {
	/** Unsealed, for benches only; its keys are in no log. */
	readonly ring: Keyring;
	readonly records: readonly PlantedRecord[];
}

/** Rows that advance together: the forward pass is fastest with about so many. */
const BATCH = 16;

const known = new Map<string, Planted>();

/**
 * The ring of a seed, with the default marks: a shape that students inherit and a choice mark (gumbel, context width 4).
 * Nothing but benches may use it: whoever knows the seed knows its keys.
 */
export function plantedRing(seed: string): Keyring {
	const ring = createKeyring({ unsealed: true }, sha256(utf8ToBytes(`planted-records/${seed}`)));
	for (const template of defaultMarks('planted', embeddedTokenizer().fingerprint)) ring.add(template);
	return ring;
}

/**
 * Marked records, 30 to 400 tokens each, log-uniform. The same seed gives the same ring and the same texts, and fewer
 * records are the first of more. Kept in memory for the next call. About 5,000 tokens a second.
 */
export function plantedRecords(count: number, seed: string): Planted {
	const before = known.get(seed);
	if (before !== undefined && before.records.length >= count)
		return { ...before, records: before.records.slice(0, count) };
	const ring = plantedRing(seed);
	const planted = { ring, records: generate(count, seed, ring) };
	known.set(seed, planted);
	return planted;
}

/** The same for several seeds at once, each in a thread, one thread a core. Kept for {@link plantedRecords}. */
export async function plantedSets(count: number, seeds: readonly string[]): Promise<Planted[]> {
	const threads = Math.min(8, seeds.length, availableParallelism());
	const pool = new Tinypool({
		filename: new URL('./planted-records-thread.mjs', import.meta.url).href,
		minThreads: threads,
		maxThreads: threads,
	});
	try {
		return await Promise.all(
			seeds.map(async (seed) => {
				const before = known.get(seed);
				if (before !== undefined && before.records.length >= count) return plantedRecords(count, seed);
				const records: PlantedRecord[] = await pool.run({ count, seed });
				known.set(seed, { ring: plantedRing(seed), records });
				return plantedRecords(count, seed);
			}),
		);
	} finally {
		await pool.destroy();
	}
}

/** Lengths of records 0 to count − 1: each from a draw of its own, so that they do not depend on the count. */
function lengthsOf(count: number, seed: string): number[] {
	const random = randomStream(`planted-records/lengths/${seed}`);
	return Array.from({ length: count }, () => logUniformLength(random.next()));
}

function generate(count: number, seed: string, ring: Keyring): PlantedRecord[] {
	const model = embeddedModel('teacher');
	const tokenizer = embeddedTokenizer();
	const prompts = embeddedPrompts().map((prompt) => tokenizer.encode(prompt));
	const marker = createMarker({
		marks: ring.marks.map((spec) => ring.bind(spec, 'verify')),
		vocabSize: model.vocabSize,
		specialTokens: tokenizer.specialTokens,
	});
	const lengths = lengthsOf(count, seed);
	// Records of like length together, so that hardly a row runs on unread.
	const order = Array.from(lengths.keys()).sort((a, b) => lengths[a] - lengths[b]);
	const records = new Array<PlantedRecord>(count);
	for (let at = 0; at < count; at += BATCH) {
		const numbers = order.slice(at, at + BATCH);
		const requests = numbers.map((number) => ({
			id: `planted-${seed}-${number}`,
			prompt: prompts[number % prompts.length],
			length: lengths[number],
		}));
		for (const [i, tokens] of longTexts(model, marker, requests, tokenizer.specialTokens).entries())
			records[numbers[i]] = { id: requests[i].id, text: tokenizer.decode(tokens), tokens };
	}
	return records;
}
