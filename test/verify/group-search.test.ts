/**
 * Codes with groups, on texts of the embedded teacher: accounts are found, and innocent ones named no more often than the
 * stated level allows, those of the served account's own group among them. Keys, seeds and texts are fixed.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { freshLayers } from '../../bench/fresh-marks.js';
import { createMarker } from '../../src/embed/marker.js';
import { randomStream } from '../../src/embed/random.js';
import { embeddedModel, embeddedPrompts, embeddedTokenizer } from '../../src/generate/embedded.js';
import { type Sample, sampleTexts } from '../../src/generate/sample.js';
import { ACCOUNT_CODE, foldOf } from '../../src/marks/account-code.js';
import { bindMark } from '../../src/marks/mark.js';
import { ln } from '../../src/stats/portable.js';
import { logBinomialUpperTail } from '../../src/stats/tails.js';
import { accountPairs, codeOf } from '../../src/verify/account-table.js';
import { newGroupSearch } from '../../src/verify/group-search.js';
import { newPairSet } from '../../src/verify/pairs.js';
import { newTrace } from '../../src/verify/trace.js';

const tokenizer = embeddedTokenizer();
const [shape, deployment, { spec }] = freshLayers(randomStream('test/groups'), [], tokenizer.fingerprint);
const grouped = { ...spec, code: { ...ACCOUNT_CODE, groups: 256 } } as const;
const account = bindMark(grouped, new Uint8Array(32).fill(3));
const marks = [shape, deployment, account];
const code = codeOf(account);
const { grouping } = code;
if (grouping === undefined) throw new Error('no groups');
const TEXTS = 64;
const nameOf = (i: number) => `account-${i % 32}`;
let texts: Sample[];

beforeAll(() => {
	const model = embeddedModel('teacher');
	const marker = createMarker({ marks, vocabSize: model.vocabSize, specialTokens: tokenizer.specialTokens });
	const starts = Array.from({ length: TEXTS }, (_, i) => ({ account: nameOf(i) }));
	const prompts = embeddedPrompts().slice(0, TEXTS);
	texts = [...sampleTexts({ model, tokenizer, marker, prompts, maxTokens: 112, seed: 'groups', starts })];
}, 60_000);

test('an account has the first fold of its group and a second fold of its own', () => {
	for (const name of ['a', 'b', 'c']) {
		const [word, own, shared] = [code.codeword(name), grouping.own(name), grouping.word(grouping.of(name))];
		word.forEach((symbol, position) => {
			expect(symbol).toBe(foldOf(position) === 0 ? shared[position] : own[position]);
		});
	}
});

test('records name their accounts through their groups, two at a time too, and no other', () => {
	const accounts = Array.from({ length: 2000 }, (_, i) => `account-${i}`);
	const trace = newTrace({ marks, accounts });
	const rows = Array.from({ length: 32 }, (_, i) =>
		trace.add({ id: `${i}`, tokens: [...texts[i].tokens, ...texts[i + 32].tokens] }),
	);
	rows.forEach(({ named }, i) => {
		for (const found of named) {
			expect(found.account).toBe(nameOf(i));
			// Two thousand accounts in 256 groups: about 8 to a group, few groups a record.
			expect(found.log10PCorrected - found.log10P).toBeLessThan(Math.log10(100));
		}
	});
	const right = rows.filter(({ named }) => named.length > 0).length;
	expect(right).toBeGreaterThanOrEqual(28);
	const { accounts: list } = trace.result();
	expect(list.length).toBeGreaterThanOrEqual(28);
	for (const found of list) expect(Number(found.account.split('-')[1])).toBeLessThan(32);
});

describe('innocent accounts', () => {
	test('are named at most at the level, members of the served group among them', () => {
		const level = 0.05;
		let named = 0;
		let tested = 0;
		let records = 0;
		let served = 0;
		for (let list = 0; list < 12; list++) {
			const innocents = Array.from({ length: 2000 }, (_, i) => `innocent-${list}-${i}`);
			const all = newGroupSearch(code, grouping, innocents, 0);
			for (const { tokens } of texts) {
				const pairs = newPairSet(account.spec);
				pairs.add(tokens);
				const own = accountPairs(pairs, account, deployment);
				const found = all.search(own, ln(level));
				records++;
				tested += found.tested;
				if (found.named.length > 0) named++;
				if (found.thought.includes(grouping.of(nameOf(texts.findIndex((text) => text.tokens === tokens)))))
					served++;
			}
		}
		// The served account's own group is among those examined nearly always, so its members are at risk.
		expect(served).toBeGreaterThan(0.8 * records);
		expect(tested).toBeGreaterThan(5 * records);
		expect(logBinomialUpperTail(named, records, level)).toBeGreaterThan(ln(1e-3));
		// The test is not empty: some are named, by chance.
		expect(named).toBeGreaterThan(0);
	});
});
