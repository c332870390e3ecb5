import { describe, expect, test } from 'vitest';
import { TouchmarkError } from '../../src/errors.js';
import { checked, parseJson } from '../../src/input.js';
import { toVllmConfig, VllmConfig, vllmMark, vllmPrfs } from '../../src/marks/vllm-config.js';
import { scoreOfWindow } from '../../src/schemes/scheme.js';

const read = (json: string) => checked(VllmConfig, parseJson(json, '--vllm-config'), '--vllm-config');

/** The one sentence with which a configuration is refused. */
function refusal(json: string): string {
	try {
		read(json);
	} catch (error) {
		if (!TouchmarkError.isInstance(error)) throw error;
		expect(error.code).toBe('bad-input');
		expect(error.message).not.toContain('\n');
		return error.message;
	}
	return expect.unreachable(`${json} was accepted`);
}

describe('reading', () => {
	test('what vLLM assumes when a field is absent', () => {
		expect(read('{"algorithm":"gumbel","key":42}')).toEqual({
			algorithm: 'gumbel',
			alpha: 0.1,
			key: 42n,
			context_width: 4,
			prf: 'philox',
			deduplicate_contexts: 'single_turn',
			deduplicate_contexts_max_history: 8192,
			allow_target_only_watermarking: false,
		});
		expect(read('{"algorithm":"gumbel","key":42,"context_width":null}').context_width).toBe(4);
	});
	test('keys of 64 bits as decimal strings', () => {
		expect(read('{"algorithm":"gumbel","key":"18446744073709551615"}').key).toBe(2n ** 64n - 1n);
		expect(read('{"algorithm":"gumbel","key":"0"}').key).toBe(0n);
		expect(read('{"algorithm":"gumbel","key":9007199254740991}').key).toBe(2n ** 53n - 1n);
	});
});

describe('refusing', () => {
	test.each([
		['a number that was rounded', '18446744073709551615', /may have been rounded.*decimal string/],
		['the first number that may have been', '9007199254740992', /may have been rounded.*decimal string/],
		['65 bits', '"18446744073709551616"', /64 bits/],
		['a negative number', '-7654321', /integer of 0 or more/],
		['a fraction', '7654321.5', /integer of 0 or more/],
		['a hexadecimal string', '"0x7654321"', /decimal integer/],
		['a negative string', '"-7654321"', /decimal integer/],
		['a string with spaces', '" 7654321"', /decimal integer/],
		['an empty string', '""', /decimal integer/],
		['a boolean', 'true', /expected/],
		['a list', '[7654321]', /expected/],
	])('a key that is %s: the field is named, the value never shown', (_what, key, reason) => {
		const message = refusal(`{"algorithm":"gumbel","key":${key}}`);
		expect(message).toMatch(/^--vllm-config: field "key": /);
		expect(message).toMatch(reason);
		expect(message).not.toMatch(/7654321|18446744073709551|9007199254740/);
	});
	test('a configuration that is not JSON: no part of the key is shown', () => {
		for (const json of [
			'{"algorithm":"gumbel","key":7654321x}',
			'{"algorithm":"gumbel","key":x7654321}',
			"{'algorithm':'gumbel','key':7654321}",
			'{"algorithm":"gumbel","key": "7654321',
			'7654321"',
		])
			expect(refusal(json).replace(/position [0-9]+/, '')).not.toMatch(/[0-9]/);
	});
	test.each([
		['no key', '{"algorithm":"gumbel"}', /field "key"/],
		['no algorithm', '{"key":1}', /field "algorithm"/],
		['another algorithm', '{"algorithm":"unigram","key":1}', /field "algorithm": .*"gumbel"/],
		['a share above 1', '{"algorithm":"dual_key_gumbel","key":1,"alpha":1.5}', /field "alpha"/],
		['no layer', '{"algorithm":"synthid","key":1,"depth":0}', /field "depth"/],
		['an unknown field', '{"algorithm":"gumbel","key":1,"context_with":2}', /"context_with"/],
		['no context', '{"algorithm":"gumbel","key":1,"context_width":0}', /field "context_width"/],
		['a long context', '{"algorithm":"gumbel","key":1,"context_width":17}', /field "context_width"/],
		['an unknown generator', '{"algorithm":"gumbel","key":1,"prf":"mt19937"}', /field "prf"/],
		[
			'a seeding that nobody finds',
			'{"algorithm":"sbw","key":1,"sbw_scheme":"lefthash"}',
			/field "sbw_scheme": .*"selfhash".*detector/,
		],
		['a key that sbw fails on', '{"algorithm":"sbw","key":"9223372036854775808"}', /field "key": .*2\^63/],
		['a key that keys nothing', '{"algorithm":"sbw","key":0}', /field "key": .*not be 0/],
		['a generator that sbw does not have', '{"algorithm":"sbw","key":1,"prf":"hmac-sha256"}', /field "prf"/],
		['no green token', '{"algorithm":"sbw","key":1,"sbw_gamma":1e-10}', /field "sbw_gamma"/],
		['green tokens only', '{"algorithm":"sbw","key":1,"sbw_gamma":1}', /field "sbw_gamma"/],
		['no bias', '{"algorithm":"sbw","key":1,"sbw_delta":0}', /field "sbw_delta"/],
		['no green token of red_green', '{"algorithm":"red_green","key":1,"gamma":0}', /field "gamma"/],
		['green tokens of red_green only', '{"algorithm":"red_green","key":1,"gamma":1}', /field "gamma"/],
		['fields of another algorithm', '{"algorithm":"gumbel","key":1,"sbw_delta":2}', /"sbw_delta"/],
		['a list', '[]', /object/],
		['nothing', 'null', /object/],
	])('%s', (_what, json, sentence) => {
		expect(refusal(json)).toMatch(sentence);
	});
});

describe('the mark', () => {
	test('is a choice mark that pads the beginning, and scores as vLLM’s published values say', () => {
		const config = read('{"algorithm":"gumbel","key":"42"}');
		const mark = vllmMark(config);
		expect(mark.spec).toMatchObject({
			prf: 'philox4x32-10-v1',
			channel: 'choice',
			contextWidth: 4,
			start: 'pad',
			commitment: null,
			tokenizer: null,
		});
		expect(vllmPrfs(config)[0].field([1, 2, 3, 4], 7, 32) >>> 8).toBe(1661833);
		const u = Math.fround(1661834 / (2 ** 24 + 1));
		expect(scoreOfWindow(mark.scheme, [1, 2, 3, 4], 7) / 2 ** 32).toBeCloseTo(-Math.log(1 - u), 8);
	});
	test('with hmac-sha256 too', () => {
		const config = read('{"algorithm":"gumbel","key":42,"prf":"hmac-sha256","context_width":2}');
		expect(vllmMark(config).spec).toMatchObject({ prf: 'hmac-sha256-v1', contextWidth: 2 });
		expect(vllmPrfs(config)[0].field([1, 2, 3, 4], 7, 32) >>> 8).toBe(6202050);
	});
	test('of sbw is a shape mark of one id less, with the share that upstream’s threshold gives', () => {
		const mark = vllmMark(read('{"algorithm":"sbw","key":"15485863"}'));
		expect(mark.spec).toMatchObject({
			scheme: { name: 'kgw', gamma: 0.5, delta: 2, seeding: 'self' },
			prf: 'vllm-sbw-v1',
			channel: 'shape',
			contextWidth: 3,
			start: 'pad',
		});
		expect(mark.scheme.null).toEqual({ kind: 'bernoulli', p: (2 ** 30 - 1) / 2 ** 31, trials: 1 });
		expect(vllmMark(read('{"algorithm":"sbw","key":1,"context_width":1}')).spec.contextWidth).toBe(0);
	});
	test('of red_green is lists of the whole window; the share is that of single precision', () => {
		const config = read('{"algorithm":"red_green","key":"42","gamma":0.3}');
		const { spec, scheme } = vllmMark(config);
		expect(spec).toMatchObject({ prf: 'philox4x32-10-v1', channel: 'shape', contextWidth: 4, start: 'pad' });
		expect(scheme.null).toMatchObject({ kind: 'bernoulli' });
		if (scheme.null.kind === 'bernoulli') {
			expect(scheme.null.p).not.toBe(0.3);
			expect(Math.abs(scheme.null.p - 0.3)).toBeLessThan(2 ** -23);
		}
		const key = new Uint8Array(8);
		key[7] = 42;
		expect(toVllmConfig(spec, key)).toEqual({
			algorithm: 'red_green',
			key: '42',
			gamma: 0.3,
			delta: 2,
			context_width: 4,
			prf: 'philox',
		});
	});
	test('of sbw, written again, is the configuration that it was read from', () => {
		const json = {
			algorithm: 'sbw',
			key: '15485863',
			sbw_scheme: 'selfhash',
			sbw_gamma: 0.3,
			sbw_delta: 1.5,
			context_width: 5,
			prf: 'philox',
		};
		const key = new Uint8Array(8);
		new DataView(key.buffer).setBigUint64(0, 15485863n, true);
		expect(toVllmConfig(vllmMark(VllmConfig.parse(json)).spec, key)).toEqual(json);
	});
	test('distinguishes keys that differ above bit 32', () => {
		const field = (key: string) =>
			vllmPrfs(read(`{"algorithm":"gumbel","key":"${key}"}`))[0].field([1, 2, 3, 4], 7, 32);
		expect(field('42')).not.toBe(field((42n + 2n ** 32n).toString()));
		expect(field('42')).not.toBe(field((42n + 2n ** 63n).toString()));
	});
});
