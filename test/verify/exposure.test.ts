/** The exposure test: exact whatever the measure, and each way of spoiling a trial is refused, counted or reported. */
import { describe, expect, it } from 'vitest';
import { createTrial } from '../../src/embed/trial.js';
import { type ArmRecord, bindArm, type OpenedCoin, openCoins } from '../../src/marks/arm.js';
import { newExposure } from '../../src/verify/exposure.js';
import type { ExposureInput, ExposurePair, ExposureScore } from '../../src/verify/exposure-data.js';
import type { Measure } from '../../src/verify/exposure-measures.js';
import { ExposureResult } from '../../src/verify/exposure-result.js';
import { refusal } from '../refusal.js';
import { randomSource } from '../stats/random.js';

interface Trial {
	readonly pairs: ExposurePair[];
	readonly records: ArmRecord[];
	readonly coins: OpenedCoin[];
}

/** A trial of `count` pairs of made-up answers under an arm key of its own. */
function newTrial(
	count: number,
	seed: number,
	accountOf: (i: number) => string | null = () => 'acme',
): Trial {
	const random = randomSource(seed);
	const key = Uint8Array.from({ length: 32 }, () => 256 * random());
	const spec = {
		version: 1,
		channel: 'arm',
		deployment: 'test',
		epoch: seed,
		commitment: 'cd'.repeat(32),
	} as const;
	const arm = bindArm(spec, key);
	const trial = createTrial({ arm, share: 1 });
	const words = (length: number) => Array.from({ length }, () => Math.floor(1e6 * random())).join(' ');
	const pairs: ExposurePair[] = [];
	const records = Array.from({ length: count }, (_, i): ArmRecord => {
		const id = `pair-${i}`;
		const account = accountOf(i);
		const answers = [words(1 + 9 * random()), words(1 + 9 * random())] as [string, string];
		const { record } = trial.enrol({ id, account })?.seal(answers) ?? expect.unreachable();
		const { hash } = arm.coin(id);
		const [a, b] = hash(answers[0]) <= hash(answers[1]) ? answers : [answers[1], answers[0]];
		pairs.push({ id, account, prompt: 'why?', a, b });
		return record;
	});
	return { pairs, records, coins: openCoins(arm, records) };
}

/** A suspect that was trained on the served answers: it adds `shift` to noise of heavy tails. */
function exposedScores({ pairs, coins }: Trial, shift: number, seed = 5): ExposureScore[] {
	const random = randomSource(seed);
	const noise = () => Math.tan(0.9 * Math.PI * (random() - 0.5));
	return pairs.map(({ id }, i) => ({
		id,
		a: noise() + (coins[i].served === 'a' ? shift : 0),
		b: noise() + (coins[i].served === 'b' ? shift : 0),
	}));
}

const lengths: Measure = (texts) => texts.map(({ a, b }) => ({ a: a.length, b: b.length }));
const blindScores = (trial: Trial, seed: number) => exposedScores(trial, 0, seed);

function test(trial: Trial, scores: readonly ExposureScore[], more: Partial<ExposureInput> = {}) {
	const { pairs, records } = trial;
	return newExposure({ pairs, records, ...more })
		.record(scores)
		.open(trial.coins);
}

describe('an exposed suspect', () => {
	it('is found, with every number in its place', () => {
		const trial = newTrial(300, 1, (i) => (i % 2 === 0 ? 'acme' : 'other'));
		const result = test(trial, exposedScores(trial, 1.5));
		expect(ExposureResult.parse(result)).toEqual(result);
		expect(result).toMatchObject({
			verdict: 'exposed',
			pairs: 300,
			ties: 0,
			missing: 0,
			statistic: 'signed-rank',
			assumptions: ['scores-made-without-coins'],
			withheld: [],
		});
		expect(result.servedPreferred).toBeGreaterThan(190);
		expect(result.log10P).toBeLessThan(-6);
		expect(result.log10E).toBeGreaterThan(4);
		expect(result.tests.map(({ statistic }) => statistic)).toEqual(['signed-rank', 'sign', 'clipped-sum']);
		expect(result.accounts.map(({ account, pairs }) => [account, pairs])).toEqual([
			['acme', 150],
			['other', 150],
		]);
	});

	it('pays for the hypotheses in every row that accuses, and in none of a control', () => {
		const trial = newTrial(200, 22, (i) => ['acme', 'other', 'control'][i % 3]);
		const scored = newExposure({ pairs: trial.pairs, controlAccounts: ['control'] }).record(
			exposedScores(trial, 2),
		);
		const [one, many] = [1, 1000].map((hypotheses) => scored.open(trial.coins, { hypotheses }));
		expect(many.log10PCorrected).toBeCloseTo(one.log10PCorrected + 3, 9);
		const rows = one.accounts.map((row) => ({ ...row, log10PCorrected: row.log10PCorrected + 3 }));
		expect(rows.every(({ log10PCorrected }) => log10PCorrected < 0)).toBe(true);
		for (const [i, { log10PCorrected, log10PAdjusted, ...row }] of many.accounts.entries()) {
			expect(rows[i]).toMatchObject(row);
			expect(log10PAdjusted).toBeCloseTo(rows[i].log10PAdjusted + 3, 9);
			expect(log10PCorrected).toBeCloseTo(rows[i].log10PCorrected, 9);
		}
		expect(many.controls).toEqual(one.controls);
	});

	it('is tied to the account whose answers it saw', () => {
		const trial = newTrial(400, 2, (i) => (i % 2 === 0 ? 'acme' : 'other'));
		const scores = exposedScores(trial, 2).map((score, i) =>
			trial.pairs[i].account === 'acme' ? score : blindScores(trial, 3)[i],
		);
		const result = test(trial, scores);
		const [acme, other] = result.accounts;
		expect(acme.log10PCorrected).toBeLessThan(-6);
		expect(other.log10PCorrected).toBeGreaterThan(-2);
		const controlled = test(trial, scores, { controlAccounts: ['other'] });
		expect(controlled).toMatchObject({ pairs: 200, verdict: 'exposed', alternatives: [] });
		expect(controlled.controls.accounts).toMatchObject([{ account: 'other', pairs: 200 }]);
		// Were the control account's answers known to the suspect too, they came another way.
		const leaked = test(trial, exposedScores(trial, 2), { controlAccounts: ['other'] });
		expect(leaked.alternatives).toEqual(['other-accounts']);
	});
});

describe('many accounts', () => {
	const trial = newTrial(600, 31, (i) => `account-${Math.floor(i / 20)}`);
	const used = (account: string | null) => Number(account?.split('-')[1]) < 6;
	const scores = exposedScores(trial, 4).map((score, i) =>
		used(trial.pairs[i].account) ? score : blindScores(trial, 7)[i],
	);

	it('are found where the suspect saw their answers, adjusted for all that were tested', () => {
		const result = test(trial, scores);
		const found = result.accounts.filter(({ found: is }) => is);
		expect(result).toMatchObject({ fdr: 0.01, verdict: 'exposed' });
		expect(found.map(({ account }) => account).sort()).toEqual(
			Array.from({ length: 6 }, (_, i) => `account-${i}`),
		);
		for (const { log10P, log10PAdjusted, log10PCorrected } of result.accounts) {
			expect(log10PAdjusted).toBeGreaterThanOrEqual(log10P);
			expect(log10PAdjusted).toBeLessThanOrEqual(log10PCorrected);
		}
		const scored = newExposure({ pairs: trial.pairs, records: trial.records }).record(scores);
		const dear = scored.open(trial.coins, { hypotheses: 1000 });
		for (const [i, { log10PAdjusted }] of dear.accounts.entries())
			expect(log10PAdjusted).toBeCloseTo(Math.min(0, result.accounts[i].log10PAdjusted + 3), 9);
		expect(scored.open(trial.coins, { fdr: 1e-9 }).accounts.filter(({ found: is }) => is)).toEqual([]);
	});

	it('are not found where the verdict is withheld', () => {
		const exposure = newExposure({ pairs: trial.pairs, records: trial.records });
		const scored = exposure.record(scores);
		const result = scored.open(trial.coins, { controlModels: [{ model: 'older', scored }] });
		expect(result.withheld).toEqual(['control-model-found']);
		expect(result.accounts.filter(({ found }) => found)).toEqual([]);
	});
});

describe('an innocent suspect', () => {
	it('is rejected as often as the level says, whatever the measure prefers', () => {
		// Measures of texts alone: what an adversary may choose after seeing all pairs.
		const measures: ((text: string) => number)[] = [
			(text) => text.length,
			(text) => -(text.length ** 5),
			(text) => Number(text.split(' ')[0]) % 97,
			(text) => (text.includes('7') ? 1e9 : 0),
		];
		const RUNS = 150;
		const rejected = measures.map(() => 0);
		for (let run = 0; run < RUNS; run++) {
			const { pairs, coins } = newTrial(60, 100 + run);
			const trial = newExposure({ pairs });
			measures.forEach((f, i) => {
				const result = trial.measure((all) => all.map(({ a, b }) => ({ a: f(a), b: f(b) }))).open(coins);
				if (result.log10P <= Math.log10(0.05)) rejected[i]++;
			});
		}
		// 150 tests at 5 %: four standard deviations above.
		for (const count of rejected) expect(count).toBeLessThanOrEqual(18);
		expect(rejected[0]).toBeGreaterThan(2);
	});

	it('is told apart from too little data', () => {
		const many = newTrial(300, 4);
		expect(test(many, blindScores(many, 1)).verdict).toBe('no-evidence');
		const few = newTrial(20, 4);
		expect(test(few, blindScores(few, 1)).verdict).toBe('too-little-data');
	});

	it('gets no sign from ties: equal scores and equal texts are dropped', () => {
		const trial = newTrial(50, 6);
		const result = test(
			trial,
			trial.pairs.map(({ id }, i) => ({ id, a: i < 40 ? 1 : 0, b: i < 45 ? 1 : 0 })),
		);
		expect(result).toMatchObject({ pairs: 50, ties: 45 });
		expect(result.power).toBeLessThan(0.01);
	});
});

describe('pairs that are missing', () => {
	// Users stop bad answers: pairs whose served text is short are aborted, and somebody drops the aborted ones.
	const trial = newTrial(1000, 7);
	const served = (i: number) => trial.pairs[i][trial.coins[i].served];
	const kept = trial.pairs.filter((_, i) => served(i).length > 15);
	const scores = kept.map(({ id, a, b }) => ({ id, a: a.length, b: b.length }));

	it('would make an innocent suspect guilty, which is why they are counted as lost', () => {
		const naive = newExposure({ pairs: kept }).record(scores);
		const coins = trial.coins.filter((_, i) => served(i).length > 15);
		expect(naive.open(coins)).toMatchObject({ verdict: 'exposed', missing: 0 });
		expect(naive.open(coins).assumptions).toContain('all-pairs-given');

		const logged = newExposure({ pairs: kept, records: trial.records }).record(scores).open(trial.coins);
		expect(logged.missing).toBe(1000 - kept.length);
		expect(logged.missing).toBeGreaterThan(30);
		expect(logged).toMatchObject({ statistic: 'sign-missing-lost', verdict: 'no-evidence' });
		// Coins without a pair give it away too.
		expect(naive.open(trial.coins)).toMatchObject({ missing: logged.missing, verdict: 'no-evidence' });
	});

	it('count against every account where nobody knows whose they are', () => {
		// Of 80 pairs without a log those are kept whose served answer scores higher.
		const all = newTrial(80, 21);
		const noise = blindScores(all, 4);
		const suits = all.pairs.filter((_, i) => noise[i].a > noise[i].b === (all.coins[i].served === 'a'));
		expect(suits.length).toBeLessThan(50);
		const result = newExposure({ pairs: suits }).record(noise).open(all.coins);
		expect(result.missing).toBe(80 - suits.length);
		expect(result.accounts).toMatchObject([{ account: 'acme', log10P: result.log10P }]);
		expect(result.log10P).toBeGreaterThan(-1);
		// Control accounts too.
		const { controls } = newExposure({ pairs: suits, controlAccounts: ['acme'] })
			.record(noise)
			.open(all.coins);
		expect(controls.accounts[0].log10P).toBe(result.log10P);
	});

	it('may be left out by a declared rule, which the result repeats', () => {
		const rule = 'answers of both sides longer than 15 characters';
		const both = trial.pairs.filter(({ a, b }) => Math.min(a.length, b.length) > 15);
		const result = newExposure({ pairs: both, records: trial.records, rule })
			.measure(lengths)
			.open(trial.coins);
		expect(result).toMatchObject({ rule, assumptions: ['symmetric-rule'], verdict: 'no-evidence' });
		expect(result.missing).toBe(1000 - both.length);
	});

	it('cost a true finding power, not validity', () => {
		const found = exposedScores(trial, 2);
		const some = newExposure({ pairs: trial.pairs.slice(50), records: trial.records });
		expect(some.record(found).open(trial.coins)).toMatchObject({ missing: 50, verdict: 'exposed' });
	});

	it('are those of the accounts that were given, chosen beforehand', () => {
		const two = newTrial(40, 8, (i) => (i % 2 === 0 ? 'acme' : 'other'));
		const pairs = two.pairs.filter(({ account }) => account === 'acme');
		const result = newExposure({ pairs, records: two.records }).record(blindScores(two, 1)).open(two.coins);
		expect(result).toMatchObject({ missing: 0, pairs: 20 });
		expect(result.assumptions).toContain('accounts-chosen-beforehand');
	});

	it('and controls could have been chosen by their coins: that they were not is an assumption', () => {
		const { pairs, records, coins } = newTrial(60, 23, (i) => `account-${i}`);
		const scores = blindScores({ pairs, records, coins }, 1);
		const against = pairs.filter((_, i) => scores[i].a > scores[i].b !== (coins[i].served === 'a'));
		const controlAccounts = against.map(({ account }) => account ?? '');
		const open = (more: Partial<ExposureInput>) =>
			newExposure({ pairs, records, ...more })
				.record(scores)
				.open(coins);
		expect(open({ controlAccounts })).toMatchObject({
			verdict: 'exposed',
			assumptions: ['scores-made-without-coins', 'accounts-chosen-beforehand'],
		});
		expect(open({ controlAccounts: [] }).assumptions).toEqual(['scores-made-without-coins']);
	});
});

describe('answers that leaked', () => {
	const trial = newTrial(30, 9);
	const scores = blindScores(trial, 2);

	it('are left out when a text occurs in two pairs', () => {
		const pairs = trial.pairs.map((pair, i) => (i === 3 ? { ...pair, a: trial.pairs[5].b } : pair));
		const result = newExposure({ pairs }).record(scores).open(trial.coins);
		expect(result).toMatchObject({ pairs: 28, dropped: { repeated: 2, leaked: 0 } });
	});

	it('are left out when a text was served elsewhere, and the list is an assumption', () => {
		const servedElsewhere = [
			{ id: 'regenerated', text: trial.pairs[1].a },
			{ text: trial.pairs[2].b },
			// The pair's own answer under its own receipt is no leak.
			{ id: trial.pairs[4].id, text: trial.pairs[4].a },
			{ text: 'nothing of ours' },
		];
		const result = test(trial, scores, { servedElsewhere });
		expect(result).toMatchObject({ pairs: 28, dropped: { repeated: 0, leaked: 2 }, missing: 0 });
		expect(result.assumptions).toContain('served-elsewhere-without-coins');
	});
});

describe('a measure that knows the coin', () => {
	const trial = newTrial(200, 10);
	const cheating = trial.pairs.map(({ id }, i) => ({
		id,
		a: trial.coins[i].served === 'a' ? 1 : 0,
		b: trial.coins[i].served === 'b' ? 1 : 0,
	}));

	it('prefers served answers of models older than the exchanges too: no verdict', () => {
		const exposure = newExposure({ pairs: trial.pairs, records: trial.records });
		const scored = exposure.record(cheating);
		const honest = exposure.record(blindScores(trial, 1));
		const result = scored.open(trial.coins, { controlModels: [{ model: 'base', scored }] });
		expect(result).toMatchObject({ withheld: ['control-model-found'], verdict: 'too-little-data' });
		expect(result.controls.models[0].log10P).toBeLessThan(-6);
		const fair = scored.open(trial.coins, { controlModels: [{ model: 'base', scored: honest }] });
		expect(fair).toMatchObject({ withheld: [], verdict: 'exposed' });
		expect(fair.assumptions).toEqual(['scores-made-without-coins']);
	});

	it('does not get ids, accounts, coins or an order of its texts that would tell', () => {
		const seen: object[] = [];
		const swapped = trial.pairs.map((pair) => ({ ...pair, a: pair.b, b: pair.a }));
		for (const pairs of [trial.pairs, swapped])
			newExposure({ pairs }).measure((all) => {
				seen.push(...all);
				return lengths(all);
			});
		expect(seen.slice(0, 200)).toEqual(seen.slice(200));
		expect(Object.keys(seen[0])).toEqual(['prompt', 'a', 'b']);
	});

	it('could read the coin off texts that are in the order of serving: no verdict', () => {
		const pairs = trial.pairs.map(({ a, b, ...rest }, i) =>
			trial.coins[i].served === 'a' ? { ...rest, a, b } : { ...rest, a: b, b: a },
		);
		const coins = trial.coins.map(({ id }) => ({ id, served: 'a' as const }));
		const byPosition = pairs.map(({ id }) => ({ id, a: 1, b: 0 }));
		const result = newExposure({ pairs }).record(byPosition).open(coins);
		expect(result).toMatchObject({ withheld: ['order-tells-coin'], verdict: 'too-little-data' });
	});

	interface Side {
		readonly served: 'a' | 'b';
		/** Score of a less that of b. */
		readonly difference: number;
	}
	/** Opens pairs of made-up texts without a log. */
	const openSides = (rows: readonly Side[], options: { level?: number; hypotheses?: number } = {}) => {
		const pairs = rows.map((_, i) => ({
			id: `${i}`,
			account: null,
			prompt: '',
			a: `first ${i}`,
			b: `second ${i}`,
		}));
		return newExposure({ pairs })
			.record(rows.map(({ difference }, i) => ({ id: `${i}`, a: difference, b: 0 })))
			.open(
				rows.map(({ served }, i) => ({ id: `${i}`, served })),
				options,
			);
	};
	/** Trials of so many rows each. */
	const openMany = (trials: number, rows: number, row: () => Side) =>
		Array.from({ length: trials }, () => openSides(Array.from({ length: rows }, row)));

	it.each([
		{ count: 20, level: 1e-6, hypotheses: 1 },
		{ count: 14, level: 1e-4, hypotheses: 1 },
		{ count: 7, level: 0.01, hypotheses: 1 },
		{ count: 9, level: 0.02, hypotheses: 10 },
	])('a side alone is never enough: $count pairs at level $level', ({ count, ...options }) => {
		for (const served of ['a', 'b'] as const) {
			const difference = served === 'a' ? 1 : -1;
			const rows = Array.from({ length: count }, (_, i) => ({
				served,
				difference: difference * (1 + i / 10),
			}));
			const result = openSides(rows, options);
			expect(result.log10PCorrected).toBeLessThan(Math.log10(options.level));
			expect(result).toMatchObject({ withheld: ['order-tells-coin'], verdict: 'too-little-data' });
		}
	});

	it('a side alone is never enough where it tells only in pairs that are no ties, or in heavy ones', () => {
		const fair = (i: number): Side['served'] => (i % 2 === 0 ? 'a' : 'b');
		const tied = Array.from(
			{ length: 200 },
			(_, i): Side => (i < 170 ? { served: fair(i), difference: 0 } : { served: 'a', difference: i }),
		);
		// Side a is served 37 times of 50, but the weights of the others are the smallest.
		const heavy = Array.from(
			{ length: 50 },
			(_, i): Side => ({
				served: i < 13 ? 'b' : 'a',
				difference: 1 + i,
			}),
		);
		for (const rows of [tied, heavy]) {
			const result = openSides(rows);
			expect(result.log10PCorrected).toBeLessThan(-6);
			expect(result).toMatchObject({ withheld: ['order-tells-coin'], verdict: 'too-little-data' });
		}
	});

	it('a measure that mostly prefers the side that is mostly served is hardly ever enough', () => {
		const random = randomSource(31);
		const results = openMany(500, 100, () => ({
			served: random() < 0.73 ? 'a' : 'b',
			difference: (random() < 0.9 ? 1 : -1) * (0.5 + random()),
		}));
		expect(results.filter(({ verdict }) => verdict === 'exposed').length).toBeLessThanOrEqual(1);
	});

	it('fair coins withhold a verdict once in a thousand trials at most', () => {
		const random = randomSource(32);
		const results = openMany(2000, 40, () => ({
			served: random() < 0.5 ? 'a' : 'b',
			difference: 0.1 + random(),
		}));
		// At most 2 expected; four standard deviations above.
		expect(results.filter(({ withheld }) => withheld.length > 0).length).toBeLessThanOrEqual(7);
	});

	it('fixes its scores before coins are opened', () => {
		const exposure = newExposure({ pairs: trial.pairs });
		const scored = exposure.record(cheating);
		expect(scored.scoresDigest).toMatch(/^[0-9a-f]{64}$/);
		expect(scored.open(trial.coins).scoresDigest).toBe(scored.scoresDigest);
		expect(exposure.record([...cheating].reverse()).scoresDigest).toBe(scored.scoresDigest);
		expect(exposure.record(blindScores(trial, 1)).scoresDigest).not.toBe(scored.scoresDigest);
	});
});

describe('refused', () => {
	const trial = newTrial(10, 11);
	const scores = blindScores(trial, 1);
	const open = (coins: readonly OpenedCoin[], changed: Partial<ExposureInput> = {}) =>
		refusal(() =>
			newExposure({ pairs: trial.pairs, records: trial.records, ...changed })
				.record(scores)
				.open(coins),
		);
	const change = <T>(items: readonly T[], at: number, to: Partial<T>) =>
		items.map((item, i) => (i === at ? { ...item, ...to } : item));

	it('coins that are flipped, of another key, unopened, missing or twice there', () => {
		const { coins } = trial;
		const flipped = coins[0].served === 'a' ? 'b' : 'a';
		expect(open(change(coins, 0, { served: flipped }))).toMatch(/pair-0.* gives the other answer/);
		expect(open(change(coins, 1, { opening: 'ab'.repeat(32) }))).toMatch(/pair-1.* commitment/);
		expect(open(change(coins, 1, { opening: coins[2].opening }))).toMatch(/commitment/);
		expect(open(coins.map(({ id, served }) => ({ id, served })))).toMatch(/"opening" is missing/);
		expect(open(coins.slice(1))).toMatch(/"pair-0" has no coin/);
		expect(open([...coins, coins[0]])).toMatch(/coin "pair-0" occurs twice/);
	});

	it('one coin for two pairs, and two coins for one', () => {
		const pair = (id: string, receipt: string) => ({
			...{ id, receipt, account: null, prompt: '' },
			...{ a: `${id} 1`, b: `${id} 2` },
		});
		const crossed = newExposure({ pairs: [pair('x', 'y'), pair('y', 'z')] }).record([
			{ id: 'x', a: 1, b: 0 },
			{ id: 'y', a: 1, b: 0 },
		]);
		const coins = [
			{ id: 'y', served: 'a' },
			{ id: 'z', served: 'b' },
		] as const;
		// The coin of receipt y is that of pair x, whatever the other pair is called.
		expect(crossed.open(coins)).toMatchObject({ pairs: 2, servedPreferred: 1, missing: 0 });
		expect(refusal(() => crossed.open(coins.slice(0, 1)))).toMatch(/pair "y" has no coin/);
		expect(refusal(() => crossed.open([...coins, { id: 'x', served: 'b' }]))).toMatch(/"x" has two coins/);
		expect(crossed.open([{ id: 'x', served: 'b' }, coins[1]])).toMatchObject({
			servedPreferred: 0,
			missing: 0,
		});
	});

	it('texts that were cut or swapped after the coin, and other accounts', () => {
		const { pairs, coins } = trial;
		const { a, b } = pairs[0];
		expect(open(coins, { pairs: change(pairs, 0, { a: a.slice(0, -1) }) })).toMatch(/"a" is not the answer/);
		expect(open(coins, { pairs: change(pairs, 0, { a: b, b: a }) })).toMatch(/"a" is not the answer/);
		expect(open(coins, { pairs: change(pairs, 0, { account: 'other' }) })).toMatch(/account/);
	});

	it('answers that were drawn again, and requests that the key did not enrol', () => {
		const [first] = trial.records;
		const again = { ...first, answers: ['a'.repeat(64), 'b'.repeat(64)] } as ArmRecord;
		expect(open(trial.coins, { records: [...trial.records, again] })).toMatch(/drawn again/);
		const { coins, records } = trial;
		expect(open(coins, { records: change(records, 0, { share: 1e-9 }) })).toMatch(/not have enrolled/);
		expect(open(coins, { records: records.slice(1) })).toMatch(/not in the log/);
	});

	it('pairs and scores that do not belong together', () => {
		const { pairs } = trial;
		expect(refusal(() => newExposure({ pairs: [] }))).toMatch(/no pair/);
		expect(refusal(() => newExposure({ pairs: [...pairs, pairs[0]] }))).toMatch(/pair "pair-0" occurs twice/);
		expect(refusal(() => newExposure({ pairs: change(pairs, 1, { receipt: 'pair-0' }) }))).toMatch(/receipt/);
		const exposure = newExposure({ pairs });
		expect(refusal(() => exposure.record(scores.slice(1)))).toMatch(/has no score/);
		expect(refusal(() => exposure.record(change(scores, 0, { a: -Infinity })))).toMatch(/finite/);
	});
});

describe('without a coin', () => {
	it('a second answer drawn afterwards is tested alike, and the assumption is stated', () => {
		const trial = newTrial(100, 12);
		const coins = trial.coins.map(({ id, served }) => ({ id, served }));
		const result = newExposure({ pairs: trial.pairs, retrospective: true })
			.record(exposedScores(trial, 4))
			.open(coins);
		expect(result.verdict).toBe('exposed');
		expect(result.assumptions).toEqual([
			'exchangeable-redraw',
			'all-pairs-given',
			'scores-made-without-coins',
		]);
	});

	it('seeded pairs count replays that differ', () => {
		const arm = bindArm(
			{ version: 1, channel: 'arm', deployment: 'test', epoch: 0, commitment: 'cd'.repeat(32) },
			new Uint8Array(32).fill(4),
		);
		const trial = createTrial({ arm, share: 1 });
		const pairs: ExposurePair[] = [];
		const records = Array.from({ length: 6 }, (_, i): ArmRecord[] => {
			const id = `s${i}`;
			const enrolment = trial.enrol({ id }) ?? expect.unreachable();
			const { served, record } = enrolment.begin();
			const replays = [`first ${i}`, `second ${i}`] as [string, string];
			const whole = enrolment.complete(record, {
				replays,
				streamed: i < 2 ? 'other' : replays[served],
			});
			const inOrder = whole.answers?.[0] === arm.coin(id).hash(replays[0]) ? replays : [...replays].reverse();
			pairs.push({ id, account: null, prompt: '', a: inOrder[0], b: inOrder[1] });
			return [record, whole];
		});
		const exposure = newExposure({ pairs, records: records.flat() });
		const scored = exposure.measure(lengths);
		const coins = openCoins(
			arm,
			records.map(([, whole]) => whole),
		);
		expect(scored.open(coins)).toMatchObject({
			pairs: 6,
			replayMismatches: 2,
			missing: 0,
			assumptions: ['answers-drawn-from-seeds'],
		});
		const begun = newExposure({ pairs, records: records.map(([record]) => record) });
		expect(refusal(() => begun.record(scored.scores).open(coins))).toMatch(/no answers yet/);
	});
});
