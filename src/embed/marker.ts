/**
 * The embed session: a host that has logits hands them over, and gets the token to emit.
 *
 * Order of a step: temperature, then the shape channel tilts, then top-k and top-p, then the choice channel
 * draws. The caller's logits are never changed, so log-probabilities that an API returns are those before
 * the mark.
 *
 * @example
 * const marker = createMarker({ marks, vocabSize: 32_000, specialTokens: [0] });
 * const generation = marker.start({ prompt: promptIds, sampling: { temperature: 0.8 } });
 * for (let i = 0; i < 100; i++) {
 *   const [token] = marker.step([generation], await model.logits(promptIds, generation.tokens));
 *   if (token === endOfText) break;
 * }
 * const receipt = generation.finish();
 *
 * @module
 */
import { bytesToHex, randomBytes } from '@noble/hashes/utils.js';
import { badInput } from '../errors.js';
import { checked } from '../input.js';
import type { Mark } from '../marks/mark.js';
import { BEFORE_TEXT } from '../marks/mark-spec.js';
import { loadRow, scratchRow, softmaxDraw } from '../prf/kernel.js';
import { idsOf, layersFor, layersOf, type RequestLayers } from './layers.js';
import { type Random, randomStream } from './random.js';
import { type Receipt, type SegmentRecord, saltedHash } from './receipt.js';
import { argmax, SamplingOptions, truncate } from './sampling.js';

/** What a marker is made of. */
export interface MarkerOptions {
	/**
	 * Bound with use `embed`: any number of shapes, of the deployment and of cohorts, and at most one choice mark each of the
	 * deployment and of the account layer. None: nothing is marked.
	 */
	readonly marks: readonly Mark[];
	readonly vocabSize: number;
	/** Ids (end of text, roles) that no context may contain. */
	readonly specialTokens?: Iterable<number>;
	/**
	 * Share of steps that the choice channel leaves to chance, so that the same question gets other answers.
	 * Default 0.1.
	 */
	readonly unkeyedShare?: number;
}

/** What a request brings. */
export interface StartOptions {
	/** Name in receipt and errors; random unless given. */
	readonly id?: string;
	/** Ids of everything that the model was given: system prompt, earlier turns, question. */
	readonly prompt?: ArrayLike<number>;
	readonly sampling?: Partial<SamplingOptions>;
	/** Makes the unkeyed randomness reproducible. */
	readonly seed?: string;
	/** Pseudonym of the account that the answer is for: its codeword turns the draws of the account layer. */
	readonly account?: string;
	/** The cohort whose shapes the answer gets besides the deployment's. */
	readonly cohort?: string;
	/** False leaves the answer unmarked (structured output, opt-out). Default true. */
	readonly marked?: boolean;
	/**
	 * `off` leaves every draw to `seed` (or to chance) and the shape channel as it is: for answers that need noise of
	 * their own, as the two of an enrolled request do (`createTrial`). The receipt says so, a segment at a time.
	 */
	readonly choice?: 'off';
}

/** One answer in the making. */
export interface Generation {
	readonly id: string;
	/** Ids so far. */
	readonly tokens: readonly number[];
	/**
	 * Begins a new segment: a role change, a tool call, hidden reasoning, structured output. No context
	 * reaches across its beginning.
	 */
	segment(reason: string, marked: boolean): void;
	/** Another candidate for the same prompt (n > 1), from the beginning; no two draw from one keyed context. */
	fork(): Generation;
	/**
	 * Takes back the last tokens: proposals of a draft model that the target model rejected. A context that was
	 * drawn from stays used for that key.
	 *
	 * @throws TouchmarkError `bad-input` when that reaches beyond the last boundary
	 */
	retract(count: number): void;
	/** Ends the answer. @throws TouchmarkError when it has ended already */
	finish(): Receipt;
	/** Ends the answer because the client went away; the receipt says so. */
	abort(): Receipt;
}

/**
 * Who proposes the token under speculative decoding: the draft model, or the target model that recovers or adds
 * one. Marks with two keys draw with another key for each.
 */
export type Role = 'draft' | 'target';

/** A session for many concurrent requests. */
export interface Marker {
	start(options?: StartOptions): Generation;
	/**
	 * Chooses the next token of each generation.
	 *
	 * @param generations requests in this batch, in the order of the rows
	 * @param logits [generations.length × vocabSize], nats, raw from the model; −Infinity excludes a token
	 * @param role under speculative decoding, who proposes
	 * @param proxy logits of a proxy model after the same tokens, of the shape of `logits`; needed and looked at
	 *   only when a mark's scheme needs them (`adfp`)
	 * @returns one token id a generation
	 * @throws TouchmarkError `bad-input` when logits have another size, hold NaN or +Infinity, or exclude all, or
	 *   when those of the proxy do or are missing; no request has then advanced
	 */
	step(
		generations: readonly Generation[],
		logits: Float32Array,
		role?: Role,
		proxy?: Float32Array,
	): Int32Array;
}

/** The state behind a Generation. */
interface State {
	readonly generation: Generation;
	readonly sampling: SamplingOptions;
	readonly random: Random;
	readonly layers: RequestLayers;
	readonly tokens: number[];
	/** Ids since the last boundary, the only ones that contexts are made of. */
	readonly visible: number[];
	/** Where in a key of positions the answer begins, in [0, 1). */
	readonly offset: number;
	/** Contexts that the choice channel may not draw from again. */
	readonly used: Set<string>;
	readonly segments: SegmentRecord[];
	/** What was done to each token of the last segment, so that it can be taken back. */
	readonly acts: { readonly tilted: boolean; readonly keyed: boolean }[];
	ended: boolean;
}

/**
 * The context of the next token: the last visible ids, or the position in the key. Undefined when the text does not
 * reach back that far and is not padded.
 */
function contextOf({ visible, tokens, offset }: State, mark: Mark): number[] | undefined {
	const { positions } = mark.scheme;
	if (positions !== undefined) return [(Math.floor(offset * positions) + tokens.length) % positions];
	const width = mark.spec.contextWidth;
	if (visible.length >= width) return visible.slice(visible.length - width);
	if (mark.spec.start === 'skip') return undefined;
	return [...new Array<number>(width - visible.length).fill(BEFORE_TEXT), ...visible];
}

/** Widths of the contexts that keyed draws of a request are made after. */
function choiceWidths({ choice, account }: RequestLayers): Set<number> {
	const keyed = [choice, account?.mark].filter((mark) => mark !== undefined);
	return new Set(
		keyed.flatMap(({ scheme, spec }) => (scheme.positions === undefined ? spec.contextWidth : [])),
	);
}

/**
 * Makes a marker.
 *
 * @throws TouchmarkError `bad-input` for two choice marks of one layer, or an unkeyed share outside [0, 1]
 */
export function createMarker(options: MarkerOptions): Marker {
	const { vocabSize, unkeyedShare = 0.1 } = options;
	const special = new Set(options.specialTokens);
	const layers = layersOf(options.marks);
	if (!(unkeyedShare >= 0 && unkeyedShare <= 1)) throw badInput('unkeyedShare must be between 0 and 1');
	if (!Number.isInteger(vocabSize) || vocabSize < 2)
		throw badInput('vocabSize must be an integer of 2 or more');
	const proxied = options.marks.find((mark) => mark.scheme.needsProxy);
	/** Key of positions that the choice channel draws along. */
	const positions = layers.choice?.scheme.positions;
	const states = new WeakMap<Generation, State>();
	const row = scratchRow(vocabSize);

	function start(request: StartOptions = {}, shared?: Set<string>, forks = { count: 0 }): Generation {
		const id = request.id ?? bytesToHex(randomBytes(16));
		const prompt = Array.from(request.prompt ?? []);
		const sampling = checked(SamplingOptions, request.sampling ?? {}, `request "${id}": sampling`);
		prompt.forEach((token, i) => {
			if (!(Number.isInteger(token) && token >= 0 && token < vocabSize))
				throw badInput(
					`request "${id}": prompt token ${token} at position ${i} is outside the vocabulary of ${vocabSize}`,
				);
		});
		const used = shared ?? new Set<string>();
		const own = layersFor(layers, request, `request "${id}"`);
		if (shared === undefined)
			for (const width of choiceWidths(own))
				for (let end = width; end <= prompt.length; end++) used.add(prompt.slice(end - width, end).join());
		const newSegment = (reason: string, marked: boolean): SegmentRecord => ({
			reason,
			marked,
			tokens: 0,
			tilted: 0,
			keyed: 0,
			...(request.choice === undefined ? {} : { choice: request.choice }),
		});

		const end = (status: Receipt['status']): Receipt => {
			if (state.ended) throw badInput(`request "${id}" has ended already`);
			state.ended = true;
			return {
				version: 1,
				id,
				status,
				marks: idsOf(own),
				unkeyedShare,
				temperature: sampling.temperature,
				tokens: state.tokens.length,
				segments: state.segments,
				...saltedHash(state.tokens),
				time: new Date().toISOString(),
			};
		};
		const generation: Generation = {
			id,
			get tokens() {
				return state.tokens;
			},
			segment(reason, marked) {
				if (state.ended) throw badInput(`request "${id}" has ended already`);
				state.visible.length = 0;
				state.acts.length = 0;
				if (state.segments.at(-1)?.tokens === 0) state.segments.pop();
				state.segments.push(newSegment(reason, marked));
			},
			fork() {
				const copy = ++forks.count;
				const seed = request.seed === undefined ? {} : { seed: `${request.seed}/${copy}` };
				return start({ ...request, id: `${id}/${copy}`, ...seed }, used, forks);
			},
			retract(count) {
				if (state.ended) throw badInput(`request "${id}" has ended already`);
				if (!(Number.isInteger(count) && count >= 0 && count <= state.visible.length))
					throw badInput(
						`request "${id}": ${count} tokens cannot be taken back; ${state.visible.length} were emitted since the last boundary`,
					);
				const segment = state.segments[state.segments.length - 1];
				for (const { tilted, keyed } of state.acts.splice(state.acts.length - count)) {
					segment.tokens--;
					if (tilted) segment.tilted--;
					if (keyed) segment.keyed--;
				}
				state.tokens.length -= count;
				state.visible.length -= count;
			},
			finish: () => end('finished'),
			abort: () => end('aborted'),
		};
		const random = randomStream(request.seed);
		const state: State = {
			generation,
			sampling,
			random,
			layers: own,
			// Drawn only where it is needed, so that other marks see the same stream as before.
			offset: positions === undefined ? 0 : random.next(),
			tokens: [],
			visible: [],
			used,
			segments: [newSegment('answer', request.marked ?? true)],
			acts: [],
			ended: false,
		};
		states.set(generation, state);
		return generation;
	}

	/** Brings a request's logits into `row`, scaled by its temperature. */
	function load(state: State, logits: Float32Array, at: number): void {
		const { temperature } = state.sampling;
		loadChecked('logits', state, logits, at, temperature > 0 ? 1 / temperature : 1);
	}

	/** Brings logits into `row`, or says what is wrong with them. */
	function loadChecked(
		what: 'logits' | 'proxy logits',
		{ generation, sampling }: State,
		logits: Float32Array,
		at: number,
		scale: number,
	): void {
		const found = loadRow(logits, at, vocabSize, scale, row);
		if (found === 'ok') return;
		const whose = `${what} of request "${generation.id}"`;
		if (found === 'empty') throw badInput(`${whose} exclude every token`);
		const token = logits.subarray(at, at + vocabSize).findIndex((logit) => !(logit < Infinity));
		if (token < 0) throw badInput(`${whose} are too large for its temperature of ${sampling.temperature}`);
		throw badInput(
			`${whose} hold ${logits[at + token]} at token ${token}; they must be numbers or -Infinity`,
		);
	}

	/** Whether `logits` have one row a request. */
	function checkSize(what: 'logits' | 'proxy logits', logits: Float32Array, requests: number): void {
		if (logits.length !== requests * vocabSize)
			throw badInput(
				`${what} have ${logits.length} values; ${requests} requests × ${vocabSize} tokens need ${requests * vocabSize}`,
			);
	}

	/** Tilts `row` by the cohort's shapes where they cover the context, else by the deployment's. */
	function tilt(state: State, proxy: Float32Array | undefined): boolean {
		const { shapes, cohort } = state.layers;
		const tiltBy = (marks: readonly Mark[]): boolean => {
			let tilted = false;
			for (const mark of marks) {
				const context = contextOf(state, mark);
				if (context === undefined || !mark.covers(context)) continue;
				mark.scheme.tilt?.(context, row, proxy);
				tilted = true;
			}
			return tilted;
		};
		return tiltBy(cohort) || tiltBy(shapes);
	}

	/**
	 * The draw from `row` that a key governs: the deployment's where it covers the context, else the account's.
	 *
	 * @returns the draw, and what may be drawn from once only
	 */
	function keyedDraw(state: State, role: Role | undefined) {
		const { choice, account } = state.layers;
		if (choice !== undefined) {
			const context = contextOf(state, choice);
			if (context !== undefined && choice.covers(context)) {
				const { draw, drawDraft, drawTarget } = choice.scheme;
				const drawn = role === 'draft' ? drawDraft : role === 'target' ? drawTarget : undefined;
				// The target model may draw where a rejected proposal was drawn: with its own key.
				const key = drawn !== undefined && role === 'target' ? `target ${context.join()}` : context.join();
				return { key, draw: () => (drawn ?? draw)?.(context, row, state.random) };
			}
		}
		if (account === undefined) return undefined;
		const { mark, turnAt } = account;
		const context = contextOf(state, mark);
		if (context === undefined) return undefined;
		return { key: context.join(), draw: () => mark.scheme.drawTurned?.(context, row, turnAt(context)) };
	}

	/**
	 * Chooses from `row`.
	 *
	 * @param proxy the request's own row
	 */
	function choose(state: State, role: Role | undefined, proxy: Float32Array | undefined): number {
		const { sampling, used } = state;
		const segment = state.segments[state.segments.length - 1];
		const tilted = segment.marked && tilt(state, proxy);
		const record = (token: number, keyed: boolean): number => {
			segment.tokens++;
			if (tilted) segment.tilted++;
			if (keyed) segment.keyed++;
			state.acts.push({ tilted, keyed });
			return token;
		};
		if (sampling.temperature === 0) return record(argmax(row), false);
		truncate(row, sampling);
		if (segment.marked && segment.choice === undefined) {
			const found = keyedDraw(state, role);
			if (found !== undefined && !used.has(found.key) && state.random.next() >= unkeyedShare) {
				used.add(found.key);
				const token = found.draw();
				if (token !== undefined) return record(token, true);
			}
		}
		return record(softmaxDraw(row, state.random.next()), false);
	}

	return {
		start: (request) => start(request),
		step(generations, logits, role, proxy) {
			checkSize('logits', logits, generations.length);
			const proxies = proxied === undefined ? undefined : proxy;
			if (proxies !== undefined) checkSize('proxy logits', proxies, generations.length);
			else if (proxied !== undefined)
				throw badInput(
					`mark ${proxied.id.slice(0, 16)} (${proxied.spec.scheme.name}) needs the logits of a proxy model at every step`,
				);
			const batch = generations.map((generation) => {
				const state = states.get(generation);
				if (state === undefined) throw badInput(`request "${generation.id}" was started by another marker`);
				if (state.ended) throw badInput(`request "${generation.id}" has ended already`);
				return state;
			});
			// The whole batch is checked before its first token is chosen, so that an error leaves every request as it was.
			batch.forEach((state, i) => {
				if (proxies !== undefined) loadChecked('proxy logits', state, proxies, i * vocabSize, 1);
				load(state, logits, i * vocabSize);
			});
			return Int32Array.from(batch, (state, i) => {
				if (batch.length > 1) load(state, logits, i * vocabSize);
				const token = choose(state, role, proxies?.subarray(i * vocabSize, (i + 1) * vocabSize));
				state.tokens.push(token);
				if (special.has(token)) state.visible.length = 0;
				else state.visible.push(token);
				return token;
			});
		},
	};
}
