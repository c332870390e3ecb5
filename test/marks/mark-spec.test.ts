import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { ACCOUNT_CODE } from '../../src/marks/account-code.js';
import { defaultMarks } from '../../src/marks/defaults.js';
import { canonicalBytes, MarkSpec, markId } from '../../src/marks/mark-spec.js';

const TOKENIZER = 'ab'.repeat(32);
const [shapeTemplate, choiceTemplate] = defaultMarks('acme', TOKENIZER);
const shape: MarkSpec = {
	...shapeTemplate,
	scheme: { name: 'kgw', gamma: 0.25, delta: 2 },
	commitment: '01'.repeat(32),
};
const choice: MarkSpec = { ...choiceTemplate, commitment: '02'.repeat(32) };
const cohort = { ...shape, layer: 'cohort', member: 'a', selector: 'keyed', share: 128 } as const;
const account = { ...choice, layer: 'account', code: ACCOUNT_CODE } as const;

/** Paths of the fields that the schema complains about. */
function complaints(value: unknown): string[] {
	const parsed = MarkSpec.safeParse(value);
	return parsed.success ? [] : parsed.error.issues.map((issue) => issue.path.join('.'));
}

describe('what a valid mark is', () => {
	test('the default marks: one of each channel, green lists of width 1 and a keyed draw of width 4', () => {
		expect(complaints(shape)).toEqual([]);
		expect(complaints(choice)).toEqual([]);
		expect(shape).toMatchObject({ channel: 'shape', contextWidth: 1, prf: 'chacha8-v1', start: 'skip' });
		expect(choice).toMatchObject({ channel: 'choice', contextWidth: 4, prf: 'chacha8-v1', start: 'skip' });
	});
	test.each([
		['a draw by vLLM’s generators', { ...choice, prf: 'philox4x32-10-v1' }],
		['a cohort with a name', { ...cohort, member: 'evaluation-farms' }],
		['the account layer, a code for all accounts', account],
		['the account layer in groups', { ...account, code: { ...ACCOUNT_CODE, groups: 65_536 } }],
		['a keyed quarter of the contexts', { ...shape, selector: 'keyed', share: 64 }],
		['no tokenizer and no commitment', { ...choice, tokenizer: null, commitment: null }],
		[
			'red_green, whatever its gamma',
			{ ...shape, prf: 'philox4x32-10-v1', scheme: { name: 'kgw', gamma: 0.3, delta: 1 } },
		],
		[
			'sbw, without an id of context too',
			{
				...shape,
				prf: 'vllm-sbw-v1',
				contextWidth: 0,
				scheme: { name: 'kgw', gamma: 0.3, delta: 1, seeding: 'self' },
			},
		],
		['gamma ½, one bit a token', { ...shape, scheme: { name: 'kgw', gamma: 0.5, delta: 1 } }],
	])('%s is accepted', (_what, mark) => {
		expect(complaints(mark)).toEqual([]);
	});
});

describe('what is refused, and which field is named', () => {
	test.each<[string, string, object]>([
		['a keyed draw in the shape channel', 'channel', { ...choice, channel: 'shape' }],
		['green lists in the choice channel', 'channel', { ...shape, channel: 'choice' }],
		[
			'a PRF without 8-bit fields for one green list',
			'prf',
			{
				...shape,
				prf: 'philox4x32-10-v1',
				contextWidth: 0,
				scheme: { name: 'unigram', gamma: 0.25, delta: 1 },
			},
		],
		[
			'a gamma below the grid of red_green',
			'scheme.gamma',
			{ ...shape, prf: 'philox4x32-10-v1', scheme: { name: 'kgw', gamma: 1e-9, delta: 2 } },
		],
		[
			'a PRF without 1-bit fields for green lists',
			'prf',
			{ ...shape, prf: 'hmac-sha256-v1', scheme: { name: 'kgw', gamma: 0.5, delta: 1 } },
		],
		['an unknown PRF', 'prf', { ...shape, prf: 'chacha20' }],
		['a deployment with a member', 'member', { ...shape, member: 'someone' }],
		['an account layer without a code', 'code', { ...choice, layer: 'account' }],
		['any number of groups', 'code.groups', { ...account, code: { ...ACCOUNT_CODE, groups: 1000 } }],
		['a code for everybody', 'code', { ...choice, code: ACCOUNT_CODE }],
		['an account layer for one member', 'member', { ...account, member: 'a' }],
		['an account layer that tilts', 'layer', { ...shape, layer: 'account', code: ACCOUNT_CODE }],
		['an account layer of vLLM’s generators', 'layer', { ...account, prf: 'philox4x32-10-v1' }],
		['a cohort without a name', 'member', { ...cohort, member: null }],
		['a cohort in the choice channel', 'layer', { ...choice, ...{ layer: 'cohort', member: 'a' } }],
		['a cohort on all contexts', 'layer', { ...cohort, selector: 'all', share: 256 }],
		['a share of contexts without a selector', 'share', { ...shape, share: 128 }],
		['a selector of all contexts', 'share', { ...shape, selector: 'keyed' }],
		['no contexts at all', 'share', { ...shape, selector: 'keyed', share: 0 }],
		['a context of no ids', 'contextWidth', { ...shape, contextWidth: 0 }],
		['a context of 17 ids', 'contextWidth', { ...shape, contextWidth: 17 }],
		['half an id', 'contextWidth', { ...shape, contextWidth: 1.5 }],
		[
			'a gamma that 8 bits cannot give',
			'scheme.gamma',
			{ ...shape, scheme: { name: 'kgw', gamma: 0.3, delta: 2 } },
		],
		[
			'a seeding that sbw does not have',
			'scheme.seeding',
			{ ...shape, prf: 'vllm-sbw-v1', scheme: { name: 'kgw', gamma: 0.5, delta: 2 } },
		],
		[
			'a gamma below the grid of sbw',
			'scheme.gamma',
			{ ...shape, prf: 'vllm-sbw-v1', scheme: { name: 'kgw', gamma: 1e-10, delta: 2, seeding: 'self' } },
		],
		['a draw by lists', 'prf', { ...choice, prf: 'vllm-sbw-v1' }],
		['no bias', 'scheme.delta', { ...shape, scheme: { name: 'kgw', gamma: 0.25, delta: 0 } }],
		['an endless bias', 'scheme.delta', { ...shape, scheme: { name: 'kgw', gamma: 0.25, delta: Infinity } }],
		['parameters that gumbel does not have', 'scheme', { ...choice, scheme: { name: 'gumbel', delta: 2 } }],
		['an unknown scheme', 'scheme.name', { ...choice, scheme: { name: 'textgrain' } }],
		['an unknown field', '', { ...shape, note: 'x' }],
		['another version', 'version', { ...shape, version: 2 }],
		['a negative epoch', 'epoch', { ...shape, epoch: -1 }],
		['a name with a space', 'deployment', { ...shape, deployment: 'acme prod' }],
		['an empty name', 'deployment', { ...shape, deployment: '' }],
		['upper-case digits', 'commitment', { ...shape, commitment: 'AB'.repeat(32) }],
		['a short digest', 'tokenizer', { ...shape, tokenizer: 'ab' }],
	])('%s', (_what, field, mark) => {
		expect(complaints(mark)).toContain(field);
	});
	test.each(Object.keys(shape))('a mark without %s', (field) => {
		expect(complaints({ ...shape, [field]: undefined })).not.toEqual([]);
	});
});

describe('id', () => {
	test('is the SHA-256 of the canonical form: sorted names, no spaces', () => {
		const canonical =
			`{"channel":"choice","commitment":"${'02'.repeat(32)}","contextWidth":4,"deployment":"acme","epoch":0,` +
			`"layer":"deployment","member":null,"prf":"chacha8-v1","scheme":{"name":"gumbel"},"selector":"all",` +
			`"share":256,"start":"skip","tokenizer":"${TOKENIZER}","version":1}`;
		expect(Buffer.from(canonicalBytes(choice)).toString()).toBe(canonical);
		expect(markId(choice)).toBe(createHash('sha256').update(canonical).digest('hex'));
	});
	test('does not depend on the order of the fields', () => {
		const reversed = Object.fromEntries(Object.entries(shape).reverse());
		expect(markId(MarkSpec.parse(reversed))).toBe(markId(shape));
	});
	test('changes with every field, commitment included', () => {
		const variants: MarkSpec[] = [
			shape,
			choice,
			{ ...shape, scheme: { name: 'kgw', gamma: 0.5, delta: 2 } },
			{ ...shape, scheme: { name: 'kgw', gamma: 0.25, delta: 2.5 } },
			{ ...choice, prf: 'hmac-sha256-v1' },
			{ ...shape, contextWidth: 2 },
			cohort,
			{ ...cohort, member: 'b' },
			account,
			{ ...account, code: { ...ACCOUNT_CODE, symbols: 8 } },
			{ ...account, code: { ...ACCOUNT_CODE, positions: 128 } },
			{ ...shape, deployment: 'acme-2' },
			{ ...shape, selector: 'keyed', share: 128 },
			{ ...shape, selector: 'keyed', share: 127 },
			{ ...shape, start: 'pad' },
			{ ...shape, epoch: 1 },
			{ ...shape, tokenizer: null },
			{ ...shape, commitment: null },
			{ ...shape, commitment: '03'.repeat(32) },
		];
		for (const variant of variants) expect(complaints(variant)).toEqual([]);
		expect(new Set(variants.map(markId)).size).toBe(variants.length);
	});
	test('what JSON cannot say has no canonical form', () => {
		expect(() => canonicalBytes(undefined)).toThrow(TypeError);
	});
});
