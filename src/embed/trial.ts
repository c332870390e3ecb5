/**
 * Controlled exposure while serving: for a keyed share of requests two complete answers are drawn with independent
 * noise, and a keyed coin over both decides which one is served. The other is shown to nobody: it must reach no
 * regenerate, no second choice (n > 1), no cache and no training log. A suspect that prefers the served answers was
 * trained on them (`verify/exposure.ts`).
 *
 * @example
 * const trial = createTrial({ arm: ring.bindArm(ring.arms[0], 'embed'), share: 0.01 });
 * const enrolment = trial.enrol({ id, account, sampling, settings: { model: 'model-7' } });
 * if (enrolment !== null) {
 *   const answers = await Promise.all(
 *     enrolment.starts.map((start) => finishAnswer(marker.start({ prompt, ...start }))),
 *   );
 *   const { served, record } = enrolment.seal([answers[0].text, answers[1].text]);
 *   await appendToLog('log', [{ type: 'arm-record', version: 1, time: record.time, record }], ring);
 *   send(answers[served]);
 * }
 *
 * @module
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { badInput } from '../errors.js';
import { checked } from '../input.js';
import { type Arm, ArmRecord, type Coin, seedHash } from '../marks/arm.js';
import { canonicalBytes } from '../marks/mark-spec.js';
import type { StartOptions } from './marker.js';
import { SamplingOptions } from './sampling.js';

/** What a trial is made of. */
export interface TrialOptions {
	/** From `ring.bindArm(spec, 'embed')`. */
	readonly arm: Arm;
	/**
	 * Share of requests that are enrolled, from 0 to 1; it is what the trial costs in generated tokens. It may depend on
	 * the account (up to all requests of suspected ones), and on nothing that is learned from an answer.
	 */
	readonly share: number | ((account: string | null) => number);
}

/** A request, before any answer to it. */
export interface TrialRequest {
	/** Id of its receipt, used once. Consecutive ids show that no request was tried twice. */
	readonly id: string;
	/** Pseudonym of the account. */
	readonly account?: string | null;
	readonly sampling?: Partial<SamplingOptions>;
	/** What else decides the answers (model version, system prompt, limits), as plain data; only its hash is kept. */
	readonly settings?: Readonly<Record<string, unknown>>;
}

/** What the coin said. */
export interface Served {
	/** Which answer goes out: 0 or 1, in the order of {@link Enrolment.starts}. */
	readonly served: 0 | 1;
	/** For the log, before the first token leaves. */
	readonly record: ArmRecord;
}

/** Both answers again, drawn off-peak from their seeds by the same model version. */
export interface Replays {
	/** Full answers in the order of {@link Enrolment.starts}, as text. */
	readonly replays: readonly [string, string];
	/** What was sent: all of it, or its beginning when the client went away. */
	readonly streamed: string;
	/** The client went away. */
	readonly aborted?: boolean;
}

/** A request that is in the trial. */
export interface Enrolment {
	readonly id: string;
	/** Options for `marker.start` of each answer: own seeds, choice channel off, shape channel as everywhere. */
	readonly starts: readonly [StartOptions, StartOptions];
	/**
	 * Two finished answers, as text: tosses the coin. An answer that the client aborts later stays as it is: an abort is
	 * a status of the receipt, and the pair stays in at full length.
	 *
	 * @throws TouchmarkError `bad-input` when the coin was tossed already: answers are never drawn again
	 */
	seal(answers: readonly [string, string]): Served;
	/** For streaming: commits both seeds and tosses the coin at once. @throws TouchmarkError as `seal` does */
	begin(): Served;
	/**
	 * The record of `begin` with both answers, to be logged too. The pair is made of the two replays, whether or not the
	 * served one gives the streamed text again (`replay` says so): both come about in the same way, so that the trial
	 * stays exact, and a difference costs power only.
	 *
	 * @throws TouchmarkError `bad-input` for the record of another request, or of other settings
	 */
	complete(begun: ArmRecord, replays: Replays): ArmRecord;
}

/** A trial. */
export interface Trial {
	/**
	 * Whether a request is in the trial; the key, its id and its account decide. Greedy decoding never is: it has one
	 * answer. The same request gives the same enrolment again (for {@link Enrolment.complete}).
	 *
	 * @throws TouchmarkError `bad-input` for sampling that cannot be, or a share outside [0, 1]
	 */
	enrol(request: TrialRequest): Enrolment | null;
}

/** Makes a trial. */
export function createTrial({ arm, share }: TrialOptions): Trial {
	function shareOf(account: string | null): number {
		const value = typeof share === 'number' ? share : share(account);
		if (!(value >= 0 && value <= 1)) throw badInput('the share of a trial must be between 0 and 1');
		return value;
	}
	if (typeof share === 'number') shareOf(null);
	return {
		enrol(request) {
			const { id, account = null } = request;
			const sampling = checked(SamplingOptions, request.sampling ?? {}, `request "${id}": sampling`);
			const enrolled = shareOf(account);
			if (sampling.temperature === 0 || sampling.topK === 1) return null;
			const coin = arm.coin(id);
			if (!(coin.draw < enrolled)) return null;
			const settings = digestOf({ sampling, settings: request.settings ?? {} });
			return enrolmentOf(request, sampling, coin, {
				version: 1,
				receipt: id,
				arm: arm.id,
				account,
				share: enrolled,
				settings,
				commitment: coin.commitment,
			});
		},
	};
}

function enrolmentOf(
	{ id }: TrialRequest,
	sampling: SamplingOptions,
	coin: Coin,
	common: Pick<ArmRecord, 'version' | 'receipt' | 'arm' | 'account' | 'share' | 'settings' | 'commitment'>,
): Enrolment {
	let tossed = false;
	/** Which of two hashes comes first, and the index that the coin serves. */
	function toss(hashes: readonly [string, string]): { served: 0 | 1; ordered: [string, string] } {
		const swapped = hashes[1] < hashes[0];
		const ordered: [string, string] = swapped ? [hashes[1], hashes[0]] : [hashes[0], hashes[1]];
		const second = coin.side(common.settings, ordered) === 'b';
		return { served: second === swapped ? 0 : 1, ordered };
	}
	function tossOnce(hashes: readonly [string, string]) {
		if (tossed) throw badInput(`request "${id}": its coin was tossed already; answers are never drawn again`);
		tossed = true;
		return toss(hashes);
	}
	const now = () => new Date().toISOString();
	const seeds = [seedHash(coin.seeds[0]), seedHash(coin.seeds[1])] as const;
	const start = (seed: string): StartOptions => ({ id, sampling, seed, choice: 'off' });
	return {
		id,
		starts: [start(coin.seeds[0]), start(coin.seeds[1])],
		seal([first, second]) {
			const { served, ordered } = tossOnce([coin.hash(first), coin.hash(second)]);
			return {
				served,
				record: ArmRecord.parse({ ...common, mode: 'complete', answers: ordered, time: now() }),
			};
		},
		begin() {
			const { served, ordered } = tossOnce(seeds);
			return {
				served,
				record: ArmRecord.parse({
					...common,
					mode: 'seeded',
					seeds: ordered,
					answers: null,
					replay: null,
					time: now(),
				}),
			};
		},
		complete(begun, { replays, streamed, aborted = false }) {
			const { served, ordered } = toss(seeds);
			if (begun.mode !== 'seeded' || begun.commitment !== common.commitment)
				throw badInput(`request "${id}": the record is not the one that its seeds were committed in`);
			if (begun.settings !== common.settings || begun.seeds.join() !== ordered.join())
				throw badInput(`request "${id}": the settings are not those that were committed`);
			const same = aborted ? replays[served].startsWith(streamed) : replays[served] === streamed;
			const answers = replays.map(coin.hash);
			return ArmRecord.parse({
				...begun,
				answers: ordered[0] === seeds[0] ? answers : [answers[1], answers[0]],
				replay: same ? 'match' : 'mismatch',
				time: now(),
			});
		},
	};
}

function digestOf(value: unknown): string {
	return bytesToHex(sha256(canonicalBytes(value)));
}
