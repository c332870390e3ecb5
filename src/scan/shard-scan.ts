/**
 * One pass over the records of a shard: tokens, windows, the sample of distinct windows, the cells to count, and the
 * records that deserve a second look once everything is counted.
 *
 * @module
 */
import type { TokenRecord } from '../corpus/read-token-shard.js';
import type { ScanRecord } from '../corpus/records.js';
import type { Tokenizer } from '../corpus/tokenizer.js';
import { firstLook, type ScoredText } from './first-look.js';
import { type BoundGroup, windowSeed } from './plan.js';
import { newSample, type Sample } from './sample.js';
import { newWindowCutter, type Windows } from './windows.js';

/** Tokens that are gathered before they are looked at, prompts' counted, so that the processor changes its work rarely. */
const BATCH = 2 ** 16;
/** Of these so many are looked at together, in memory that is small enough to stay in the processor's cache all the while. */
const BLOCK = 2 ** 12;
/** Longer records are judged in parts of this many tokens, so that memory is bounded whatever their length. */
export const PART = 2 ** 17;
/** Longer texts are cut, at a space where there is one, and tokenized piece by piece: an id a byte would fill memory. */
export const PIECE_CHARACTERS = 2 ** 20;
/** Records with longer prompts are left out: all of the prompt's contexts are held at once. */
export const PROMPT_CHARACTERS = 2 ** 22;
/** How far back from the end of a piece a space is looked for. */
const SEAM = 4096;

/** A record, or a part of a long one, that has a conspicuous span before common windows are left out. */
export interface Candidate {
	/** The record's id, and which part of it. */
	readonly record: string;
	readonly part: number;
	/** Number of the group whose tokenizer made the tokens. */
	readonly group: number;
	/** Tokens of the record before this part. */
	readonly first: number;
	readonly tokens: readonly number[];
	/**
	 * For each shape of the group, where windows begin that are left out because of what the author was given; empty
	 * where nothing was. What was given itself may be long beyond measure.
	 */
	readonly left: readonly (readonly number[])[];
}

/** What a pass counted. */
export interface ShardTotals {
	readonly records: number;
	/** Records, or parts of long ones, times groups: how many verdicts there are. */
	readonly judged: number;
	/** Over all groups. */
	readonly tokens: number;
	readonly candidates: number;
}

/** A scan of one shard, or of several, one after another. */
export interface ShardScan {
	/** Scans records. */
	add(records: readonly (ScanRecord | TokenRecord)[]): void;
	/** Counts the windows of records that are known to be innocent; nothing else is done with them. */
	addBackground(records: readonly (ScanRecord | TokenRecord)[]): void;
	/** Samples of all shards so far, in the order of groups and shapes. */
	readonly samples: readonly Sample[];
	/** Ends the shard. */
	finish(): ShardTotals;
}

/** How a pass is run. */
export interface ShardScanOptions {
	/** Takes candidates as they come. */
	candidate(candidate: Candidate): void;
	/** First hash above which windows need not be sampled, for each sample; absent: all are offered. */
	readonly thresholds?: Uint32Array;
	/** Is told of records that are too large to be looked at. */
	tooLarge(message: string): void;
	/** Takes the cells of the windows that records are judged by, some at a time; they are valid until it returns. */
	cells(low: Uint32Array): void;
	/** Is shown the windows of each batch: those of all groups' shapes, numbered in order. */
	seen?(shape: number, windows: Windows): void;
}

/** What a text is called. */
type Name = Pick<Candidate, 'record' | 'part' | 'first'>;

/** Some texts that were gathered. */
interface Block {
	/** Of all of them, one after another. */
	readonly ids: Uint32Array;
	/** Where each ends in `ids`. */
	readonly ends: readonly number[];
	readonly names: readonly Name[];
	readonly given: readonly (readonly number[])[];
}

/** @param groups what is looked for */
export function newShardScan(groups: readonly BoundGroup[], options: ShardScanOptions): ShardScan {
	const { candidate, thresholds, seen } = options;
	let numbered = 0;
	const lanes = groups.map(newLane);
	let records = 0;
	let judged = 0;
	let tokens = 0;
	let candidates = 0;
	let finished = false;

	/** One group's texts, gathered until there are enough. */
	function newLane(group: BoundGroup) {
		const shapes = group.shapes.map((shape, i) => ({
			cutter: newWindowCutter(shape, windowSeed(group.number, i)),
			sample: newSample(shape.contextWidth + 1),
			number: numbered++,
			judges: group.judges.filter((judge) => judge.shape === i).map(({ mark }) => mark),
		}));
		return {
			group,
			shapes,
			ids: new Uint32Array(BATCH + PART),
			ends: [] as number[],
			names: [] as Name[],
			given: [] as (readonly number[])[],
			size: 0,
			gathered: 0,
		};
	}
	type Lane = ReturnType<typeof newLane>;

	/** Adds ids of a record. @param before parts and tokens of it that were added before; gives those with these */
	function addIds(
		lane: Lane,
		record: string,
		ids: ArrayLike<number>,
		given: readonly number[],
		scored: boolean,
		before = { parts: 0, tokens: 0 },
	): { parts: number; tokens: number } {
		tokens += scored ? ids.length : 0;
		let part = before.parts;
		for (let from = 0; from === 0 || from < ids.length; from += PART, part++) {
			const length = Math.min(PART, ids.length - from);
			const { ids: all, size } = lane;
			if (length === ids.length) all.set(ids, size);
			else for (let i = 0; i < length; i++) all[size + i] = ids[from + i];
			lane.size += length;
			lane.ends.push(lane.size);
			lane.names.push({ record, part, first: before.tokens + from });
			lane.given.push(given);
			// Empty records have no tokens, and take memory too.
			lane.gathered += 1 + length + given.length;
			if (lane.gathered >= BATCH) flush(lane, scored);
		}
		return { parts: part, tokens: before.tokens + ids.length };
	}

	/** Adds a text. What lies on both sides of a seam is not scored. */
	function addText(
		lane: Lane,
		tokenizer: Tokenizer,
		{ id, text, prompt }: ScanRecord,
		scored: boolean,
	): void {
		const given = prompt === undefined ? [] : tokenizer.encode(prompt);
		let before = { parts: 0, tokens: 0 };
		for (const piece of piecesOf(text))
			before = addIds(lane, id, tokenizer.encode(piece), given, scored, before);
	}

	function flush(lane: Lane, scored: boolean): void {
		const { ends, names, given } = lane;
		for (let from = 0, to = 0, begin = 0; from < ends.length; from = to, begin = ends[to - 1]) {
			do to++;
			while (to < ends.length && ends[to] - begin <= BLOCK);
			const block: Block = {
				ids: lane.ids.subarray(begin, ends[to - 1]),
				ends: ends.slice(from, to).map((end) => end - begin),
				names: names.slice(from, to),
				given: given.slice(from, to),
			};
			lookAt(lane, block, scored);
		}
		lane.size = 0;
		lane.gathered = 0;
		lane.ends = [];
		lane.names = [];
		lane.given = [];
	}

	/** Looks at some texts. */
	function lookAt(lane: Lane, { ids, ends, names, given }: Block, scored: boolean): void {
		const count = ends.length;
		const someGiven = given.some(({ length }) => length > 0);
		const conspicuous = new Uint8Array(count);
		const textOf = (i: number): ScoredText => ({
			tokens: ids.subarray(i === 0 ? 0 : ends[i - 1], ends[i]),
			given: given[i],
		});
		for (const { cutter, sample, number, judges } of lane.shapes) {
			const { windows } = cutter;
			cutter.fill(ids, ends, someGiven ? given : undefined);
			if (scored)
				sample.add(windows, thresholds === undefined ? undefined : Atomics.load(thresholds, number));
			if (scored) seen?.(number, windows);
			if (judges.length === 0) continue;
			options.cells(windows.low.subarray(0, windows.size));
			if (!scored) continue;
			for (const mark of judges) {
				const isConspicuous = firstLook(mark, windows, count, textOf);
				for (let i = 0; i < count; i++) if (conspicuous[i] === 0 && isConspicuous(i)) conspicuous[i] = 1;
			}
		}
		if (!scored) return;
		judged += count;
		for (let i = 0; i < count; i++) {
			if (conspicuous[i] === 0) continue;
			candidates++;
			candidate({
				...names[i],
				group: lane.group.number,
				tokens: Array.from(textOf(i).tokens),
				left: given[i].length === 0 ? [] : leftOut(lane, ends, i),
			});
		}
	}

	/** Where windows of text i begin that were left out, counted from the text's beginning, for each shape. */
	function leftOut({ shapes, group }: Lane, ends: readonly number[], i: number): number[][] {
		return shapes.map(({ cutter }, number) => {
			const { contextWidth, start } = group.shapes[number];
			const { places, starts } = cutter.windows;
			const pad = start === 'pad' ? contextWidth : 0;
			const before = i === 0 ? 0 : ends[i - 1];
			const begin = before + pad * i;
			const last = ends[i] - before + pad - contextWidth - 1;
			const left: number[] = [];
			for (let place = 0, at = starts[i]; place <= last; place++)
				if (at < starts[i + 1] && places[at] === begin + place) at++;
				else left.push(place);
			return left;
		});
	}

	/** What was found in the shard before is not needed any more. */
	function begin(): void {
		if (!finished) return;
		finished = false;
		records = 0;
		judged = 0;
		tokens = 0;
		candidates = 0;
	}

	function addAll(batch: readonly (ScanRecord | TokenRecord)[], scored: boolean): void {
		for (const record of batch) {
			if (!('tokens' in record) && (record.prompt?.length ?? 0) > PROMPT_CHARACTERS) {
				options.tooLarge(
					`record ${record.id}: has a prompt of more than ${PROMPT_CHARACTERS} characters; give the part of it that matters`,
				);
				continue;
			}
			if (scored) records++;
			for (const lane of lanes) {
				const { tokenizer } = lane.group;
				if ('tokens' in record) addIds(lane, record.id, record.tokens, [], scored);
				else if (tokenizer !== null) addText(lane, tokenizer, record, scored);
			}
		}
	}

	return {
		samples: lanes.flatMap(({ shapes }) => shapes.map(({ sample }) => sample)),
		add(batch) {
			begin();
			addAll(batch, true);
		},
		addBackground(batch) {
			begin();
			addAll(batch, false);
			for (const lane of lanes) flush(lane, false);
		},
		finish() {
			begin();
			for (const lane of lanes) flush(lane, true);
			finished = true;
			return { records, judged, tokens, candidates };
		},
	};
}

/** A text in pieces of bounded length; the space at a seam belongs to what follows it. */
function* piecesOf(text: string): Generator<string> {
	for (let from = 0; from === 0 || from < text.length; ) {
		let to = Math.min(text.length, from + PIECE_CHARACTERS);
		if (to < text.length) {
			const space = text.lastIndexOf(' ', to);
			if (space > to - SEAM) to = space;
			// Halves of a surrogate pair stay together.
			else if ((text.charCodeAt(to) & 0xfc00) === 0xdc00 && (text.charCodeAt(to - 1) & 0xfc00) === 0xd800)
				to--;
		}
		yield text.slice(from, to);
		from = to;
	}
}
