/** Two answers, a keyed coin, and records that tell nobody which one is served. */
import chi2 from '@stdlib/stats-base-dists-chisquare-cdf';
import { describe, expect, it } from 'vitest';
import { createMarker, type Marker, type StartOptions } from '../../src/embed/marker.js';
import { createTrial, type Trial } from '../../src/embed/trial.js';
import { createKeyring } from '../../src/keys/keyring.js';
import { type Arm, ArmRecord, bindArm, openCoins } from '../../src/marks/arm.js';
import { defaultMarks } from '../../src/marks/defaults.js';
import { bindMark, type Mark } from '../../src/marks/mark.js';
import { refusal } from '../refusal.js';

const VOCABULARY = 8;
const LOGITS = Float32Array.of(1.2, 0.3, -0.5, 0.9, 0, -1.5, 0.6, -0.2);
const END = 7;

function newArm(byte = 7): Arm {
	const commitment = 'ab'.repeat(32);
	return bindArm(
		{ version: 1, channel: 'arm', deployment: 'test', epoch: 0, commitment },
		new Uint8Array(32).fill(byte),
	);
}

/** An answer of a model that always sees the same logits, as text; at most `length` tokens. */
function answer(marker: Marker, start: StartOptions, length = 6): string {
	const generation = marker.start(start);
	while (generation.tokens.length < length) if (marker.step([generation], LOGITS)[0] === END) break;
	return generation.tokens.join(' ');
}

/** A choice mark whose contexts are as narrow as they can be, so that a key would show. */
function choiceMark(byte: number): Mark {
	const [, choice] = defaultMarks('test', 'ab'.repeat(32));
	const spec = { ...choice, contextWidth: 1, start: 'pad', commitment: null } as const;
	return bindMark(spec, new Uint8Array(32).fill(byte));
}

/** Runs requests through a trial: what was served, and the tokens that were generated. */
function serve(trial: Trial, marker: Marker, requests: number) {
	const records: ArmRecord[] = [];
	const enrolled: string[] = [];
	const others: string[] = [];
	let answers = 0;
	for (let i = 0; i < requests; i++) {
		const id = `request-${i}`;
		const enrolment = trial.enrol({ id });
		if (enrolment === null) {
			others.push(answer(marker, { id, seed: id }));
			answers++;
			continue;
		}
		const both = enrolment.starts.map((start) => answer(marker, start)) as [string, string];
		answers += 2;
		const { served, record } = enrolment.seal(both);
		enrolled.push(both[served]);
		records.push(record);
	}
	return { records, enrolled, others, answers };
}

describe('enrolment', () => {
	it('takes the share of requests that was asked for, which is what it costs, and none that is greedy', () => {
		const trial = createTrial({ arm: newArm(), share: 0.25 });
		const { records, answers } = serve(trial, createMarker({ marks: [], vocabSize: VOCABULARY }), 2000);
		expect(records.length).toBeGreaterThan(500 - 78); // four standard deviations
		expect(records.length).toBeLessThan(500 + 78);
		expect(answers - 2000).toBe(records.length);
		const all = createTrial({ arm: newArm(), share: 1 });
		expect(all.enrol({ id: 'x', sampling: { temperature: 0 } })).toBeNull();
		expect(all.enrol({ id: 'x', sampling: { topK: 1 } })).toBeNull();
		expect(all.enrol({ id: 'x' })).not.toBeNull();
	});

	it('can depend on the account', () => {
		const trial = createTrial({ arm: newArm(), share: (account) => (account === 'suspected' ? 1 : 0) });
		expect(trial.enrol({ id: 'x', account: 'suspected' })).not.toBeNull();
		expect(trial.enrol({ id: 'x', account: 'other' })).toBeNull();
		expect(refusal(() => createTrial({ arm: newArm(), share: 1.5 }))).toMatch(/between 0 and 1/);
	});

	it('gives the answers noise of their own, says so in the receipt, and gives the same again', () => {
		const marker = createMarker({ marks: [choiceMark(3)], vocabSize: VOCABULARY, unkeyedShare: 0 });
		const trial = createTrial({ arm: newArm(), share: 1 });
		const { starts } = trial.enrol({ id: 'x' }) ?? expect.unreachable();
		const [first, second] = starts.map((start) => answer(marker, start, 40));
		expect(first).not.toBe(second);
		expect(trial.enrol({ id: 'x' })?.starts).toEqual(starts);
		const generation = marker.start({ ...starts[0] });
		marker.step([generation], LOGITS);
		generation.segment('tool-call', true);
		marker.step([generation], LOGITS);
		expect(generation.finish().segments).toMatchObject([
			{ choice: 'off', keyed: 0, marked: true },
			{ choice: 'off', keyed: 0, marked: true },
		]);
	});
});

describe('the coin', () => {
	it('changes no distribution: served, unserved and unenrolled answers have one law', () => {
		const marker = createMarker({ marks: [], vocabSize: VOCABULARY });
		const trial = createTrial({ arm: newArm(9), share: 0.5 });
		const { enrolled, others } = serve(trial, marker, 6000);
		const total = LOGITS.reduce((sum, logit) => sum + Math.exp(logit), 0);
		for (const texts of [enrolled, others]) {
			const counts = new Array<number>(VOCABULARY).fill(0);
			for (const text of texts) counts[Number(text.split(' ')[0])]++;
			const statistic = counts.reduce((sum, count, token) => {
				const expected = (texts.length * Math.exp(LOGITS[token])) / total;
				return sum + (count - expected) ** 2 / expected;
			}, 0);
			expect(chi2(statistic, VOCABULARY - 1)).toBeLessThan(0.9999);
			expect(texts.length).toBeGreaterThan(2800);
		}
		// Lengths too: two proportions of answers that ended early.
		const early = [enrolled, others].map((texts) => {
			const ended = texts.filter((text) => text.split(' ').length < 6).length;
			return { share: ended / texts.length, count: texts.length };
		});
		const spread = Math.sqrt(early.reduce((sum, { share, count }) => sum + (share * (1 - share)) / count, 0));
		expect(Math.abs(early[0].share - early[1].share)).toBeLessThan(4 * spread);
	});

	it('is fair, opens, and is not told by the record', () => {
		const arm = newArm(5);
		const { records } = serve(
			createTrial({ arm, share: 1 }),
			createMarker({ marks: [], vocabSize: VOCABULARY }),
			1000,
		);
		const coins = openCoins(arm, records);
		const a = coins.filter(({ served }) => served === 'a').length;
		expect(Math.abs(a - 500)).toBeLessThan(64);
		for (const record of records) {
			expect(ArmRecord.parse(JSON.parse(JSON.stringify(record)))).toEqual(record);
			if (record.mode === 'complete') expect(record.answers[0] <= record.answers[1]).toBe(true);
		}
		expect(refusal(() => openCoins(newArm(6), records))).toMatch(/another arm/);
	});

	it('is tossed once: an answer that does not suit cannot be drawn again', () => {
		const enrolment = createTrial({ arm: newArm(), share: 1 }).enrol({ id: 'x' }) ?? expect.unreachable();
		enrolment.seal(['one', 'two']);
		expect(refusal(() => enrolment.seal(['one', 'three']))).toMatch(/tossed already/);
		expect(refusal(() => enrolment.begin())).toMatch(/tossed already/);
	});

	it('does not depend on which answer was drawn first', () => {
		for (let i = 0; i < 20; i++) {
			const [one, other] = [
				['x', 'y'],
				['y', 'x'],
			].map((texts) => {
				const trial = createTrial({ arm: newArm(), share: 1 });
				const sealed = trial.enrol({ id: `r${i}` })?.seal(texts as [string, string]);
				return sealed === undefined ? '' : texts[sealed.served];
			});
			expect(one).toBe(other);
		}
	});
});

describe('streaming', () => {
	const settings = { model: 'model-7' };
	const marker = createMarker({ marks: [], vocabSize: VOCABULARY });
	const trial = createTrial({ arm: newArm(), share: 1 });

	it('commits both seeds before the first token and draws the other answer later', () => {
		const statuses = new Set<string>();
		for (let i = 0; i < 20; i++) {
			const request = { id: `stream-${i}`, settings };
			const live = trial.enrol(request) ?? expect.unreachable();
			const { served, record } = live.begin();
			expect(record).toMatchObject({ mode: 'seeded', answers: null, replay: null });
			const streamed = answer(marker, live.starts[served]);
			// Another process, another day: the request gives the seeds again.
			const later = trial.enrol(request) ?? expect.unreachable();
			const replays = later.starts.map((start) => answer(marker, start)) as [string, string];
			const whole = later.complete(record, { replays, streamed });
			expect(whole).toMatchObject({ ...record, replay: 'match', time: whole.time, answers: whole.answers });
			const cut = later.complete(record, { replays, streamed: streamed.slice(0, 3), aborted: true });
			expect(cut).toMatchObject({ answers: whole.mode === 'seeded' && whole.answers, replay: 'match' });
			const other = later.complete(record, { replays, streamed: `${streamed}!` });
			expect(other).toMatchObject({ answers: whole.mode === 'seeded' && whole.answers, replay: 'mismatch' });
			const [coin] = openCoins(newArm(), [whole]);
			const side = whole.answers?.[coin.served === 'a' ? 0 : 1];
			expect(side).toBe(newArm().coin(request.id).hash(streamed));
			statuses.add(coin.served);
		}
		expect(statuses).toEqual(new Set(['a', 'b']));
	});

	it('refuses the record of another request, or other settings', () => {
		const first = trial.enrol({ id: 'one', settings }) ?? expect.unreachable();
		const { record } = first.begin();
		const replays = { replays: ['x', 'y'], streamed: 'x' } as const;
		const second = trial.enrol({ id: 'two', settings }) ?? expect.unreachable();
		expect(refusal(() => second.complete(record, replays))).toMatch(/not the one/);
		const changed = trial.enrol({ id: 'one', settings: { model: 'model-8' } }) ?? expect.unreachable();
		expect(refusal(() => changed.complete(record, replays))).toMatch(/settings are not those/);
	});
});

describe('arm keys', () => {
	const MASTER = new Uint8Array(32).fill(1);

	it('come from the ring, one a deployment and epoch, and must be committed before use', () => {
		const ring = createKeyring({ unsealed: true }, MASTER);
		const spec = ring.addArm('prod', 3);
		expect(() => ring.bindArm(spec, 'embed')).toThrow(/must be committed/);
		expect(ring.bindArm(spec, 'verify').id).toMatch(/^[0-9a-f]{64}$/);
		expect(refusal(() => ring.addArm('prod', 3))).toMatch(/another epoch/);
		const next = ring.addArm('prod', 4);
		expect(ring.bindArm(next, 'verify').coin('x').opening).not.toBe(
			ring.bindArm(spec, 'verify').coin('x').opening,
		);
		expect(ring.toFile().arms).toHaveLength(2);
		expect(createKeyring({ unsealed: true }, MASTER).toFile()).not.toHaveProperty('arms');
	});
});
