/**
 * Records of the embedded teacher: who is named, at 24,000 accounts and at ten million in groups, and at what cost.
 *
 * @module
 */
import { createMarker } from '../src/embed/marker.js';
import type { Random } from '../src/embed/random.js';
import { embeddedModel, embeddedPrompts, embeddedTokenizer } from '../src/generate/embedded.js';
import { type Sample, sampleTexts } from '../src/generate/sample.js';
import { ACCOUNT_CODE } from '../src/marks/account-code.js';
import { bindMark, type Mark } from '../src/marks/mark.js';
import { chacha8 } from '../src/prf/chacha8.js';
import { scoreWords, word32 } from '../src/schemes/gumbel.js';
import { logCodewordTail } from '../src/stats/codeword-bound.js';
import { ln } from '../src/stats/portable.js';
import { logGammaUpperTail } from '../src/stats/tails.js';
import { newAccountSearch } from '../src/verify/account-search.js';
import { accountPairs, accountTable, codeOf, foldTable } from '../src/verify/account-table.js';
import { newGroupSearch } from '../src/verify/group-search.js';
import { newPairSet } from '../src/verify/pairs.js';
import { tallyPairs } from '../src/verify/tally.js';
import { attributionRow as row } from './attribution-laws.js';
import { freshLayers } from './fresh-marks.js';
import { interleave, type Row } from './rows.js';

const ACCOUNTS = 24_000;
const LEVEL = 1e-6;

/** Texts of the teacher, one account each. */
function served(
	marks: readonly Mark[],
	count: number,
	temperature: number,
	account: (i: number) => string,
): Sample[] {
	const model = embeddedModel('teacher');
	const tokenizer = embeddedTokenizer();
	const marker = createMarker({ marks, vocabSize: model.vocabSize, specialTokens: tokenizer.specialTokens });
	const starts = Array.from({ length: count }, (_, i) => ({ account: account(i) }));
	const prompts = embeddedPrompts().slice(0, count);
	const sampling = { temperature };
	return [
		...sampleTexts({
			model,
			tokenizer,
			marker,
			prompts,
			maxTokens: 112,
			seed: `attr-${temperature}`,
			sampling,
			starts,
		}),
	];
}

const pairsOf = (mark: Mark, tokens: readonly number[]) => {
	const pairs = newPairSet(mark.spec);
	pairs.add(tokens);
	return pairs;
};

/** Records of the teacher: named at 24,000 accounts, and at ten million in groups. */
export async function records(
	texts: number,
	many: number,
	random: Random,
): Promise<{ rows: Row[]; notes: string[] }> {
	const [, deployment, flat] = freshLayers(random, [], embeddedTokenizer().fingerprint);
	const key = Uint8Array.from({ length: 32 }, () => Math.floor(256 * random.next()));
	const grouped = bindMark({ ...flat.spec, code: { ...ACCOUNT_CODE, groups: 65_536 } }, key);
	const code = codeOf(grouped);
	const rows: Row[] = [];
	const notes: string[] = [];
	const few = Array.from({ length: ACCOUNTS }, (_, i) => `account-${i}`);
	const search = newAccountSearch(codeOf(flat), few, ln(0.01));
	let begun = performance.now();
	const before = process.memoryUsage().rss;
	const accounts = Array.from({ length: many }, (_, i) => `account-${i}`);
	const names = process.memoryUsage().rss;
	begun = performance.now();
	if (code.grouping === undefined) throw new Error('a code with groups has none');
	const groups = newGroupSearch(code, code.grouping, accounts, ln(0.01));
	notes.push(
		`${many} accounts in 65,536 groups: set-up ${((performance.now() - begun) / 1000).toFixed(1)} s; memory ${Math.round((names - before) / 2 ** 20)} MiB for their names and ${Math.round((process.memoryUsage().rss - names) / 2 ** 20)} MiB beside.`,
	);
	const whose = (i: number) => (i * 101) % ACCOUNTS;
	for (const temperature of [0.7, 1])
		for (const [layout, one, all, mark] of [
			[`named@${ACCOUNTS}`, search, few, flat],
			[`named@${many}`, groups, accounts, grouped],
		] as const)
			for (const joined of [1, 2]) {
				const made = served([deployment, mark], texts, temperature, (i) => all[whose(i >> (joined - 1))]);
				let [right, wrong, tested, expected] = [0, 0, 0, 0];
				for (let i = 0; i < made.length; i += joined) {
					const pairs = pairsOf(
						mark,
						made.slice(i, i + joined).flatMap(({ tokens }) => tokens),
					);
					const own = accountPairs(pairs, mark, deployment);
					const found = one.search(own, ln(LEVEL));
					tested += found.tested;
					const account = whose(i >> (joined - 1));
					if (found.named.some((row) => row.account === account)) right++;
					if (found.named.some((row) => row.account !== account)) wrong++;
					const table = accountTable(codeOf(mark), own);
					const half = mark === flat ? table : foldTable(table, 1);
					const word = codeOf(mark).codeword(all[account]);
					const sum = half.positions.reduce((s, position, r) => s + half.scores[r * 16 + word[position]], 0);
					expected -= logCodewordTail(half, sum);
				}
				const count = made.length / joined;
				rows.push(
					row(
						`${layout}, T ${temperature}, ${112 * joined} tokens`,
						right / count,
						wrong / count,
						'named wrongly',
						'share',
						1,
					),
				);
				notes.push(
					`${layout}, temperature ${temperature}, ${112 * joined} tokens, ${count} records: mean evidence ${(expected / count).toFixed(1)} nats${mark === flat ? '' : ' on the second fold'}; ${Math.round(tested / count)} accounts tested a record, which asks for ${(ln(tested / count) - ln(LEVEL)).toFixed(1)} nats.`,
				);
			}

	// Judged by the key instead: accounts that share symbols with the served one look marked.
	const one = served([deployment, flat], 24, 1, () => few[7]);
	for (const count of [1, 24]) {
		const own = accountPairs(
			pairsOf(
				flat,
				one.slice(0, count).flatMap(({ tokens }) => tokens),
			),
			flat,
			deployment,
		);
		const table = accountTable(codeOf(flat), own);
		let accused = 0;
		for (let account = 0; account < few.length; account++) {
			if (account === 7) continue;
			const word = codeOf(flat).codeword(few[account]);
			const sum = table.positions.reduce((s, position, r) => s + table.scores[r * 16 + word[position]], 0);
			if (logGammaUpperTail(own.words.length, sum) < ln(LEVEL / ACCOUNTS)) accused++;
		}
		const byCodewords = search.search(own, ln(LEVEL)).named.filter(({ account }) => account !== 7).length;
		rows.push(
			row(
				`innocents named, ${count} texts`,
				byCodewords,
				accused,
				"judged by the key's gamma tail",
				'accounts',
				1,
			),
		);
	}

	// Cost of a record beside detection.
	const tokens = one[0].tokens;
	const manyKeys = 20;
	const keys = Array.from({ length: manyKeys }, (_, i) =>
		bindMark({ ...flat.spec }, new Uint8Array(32).fill(i + 1)),
	);
	const stream = new Uint32Array(ACCOUNTS);
	const words = new Uint32Array(pairsOf(flat, tokens).size);
	const scored = new Float64Array(ACCOUNTS);
	const prf = chacha8(key);
	const [detect, flatMs, groupMs, keyMs, shiftMs] = await interleave(9, [
		() => void tallyPairs(pairsOf(deployment, tokens), deployment),
		() => void search.search(accountPairs(pairsOf(flat, tokens), flat, deployment), ln(LEVEL)),
		() => void groups.search(accountPairs(pairsOf(grouped, tokens), grouped, deployment), ln(LEVEL)),
		() => {
			const pairs = pairsOf(flat, tokens);
			for (const each of keys) {
				each.scheme.words?.(pairs.rows.subarray(0, pairs.size * 5), words);
				scoreWords(words, word32, scored.subarray(0, words.length));
			}
		},
		() =>
			pairsOf(flat, tokens).forEach((context) => {
				prf.fields(context, 32, stream);
				scoreWords(stream, word32, scored);
			}),
	]);
	rows.push(
		row('cost@24000', flatMs, detect, 'detection, token ids in', 'ms a record', detect / flatMs),
		row(`cost@${many}`, groupMs, detect, 'detection, token ids in', 'ms a record', detect / groupMs),
		row(
			'cost@24000',
			flatMs,
			(keyMs * ACCOUNTS) / manyKeys,
			'a key an account (20 timed)',
			'ms a record',
			(keyMs * ACCOUNTS) / manyKeys / flatMs,
		),
		row('cost@24000', flatMs, shiftMs, 'a shift an account', 'ms a record', shiftMs / flatMs),
	);
	return { rows, notes };
}
