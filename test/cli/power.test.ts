/** `touchmark power` as a script and as a person use it. */
import { describe, expect, it } from 'vitest';
import { Plan } from '../../src/verify/plan.js';
import { runCli } from './run-cli.js';

const KGW = ['--scheme', 'kgw', '--gamma', '0.5', '--delta', '1', '--context-width', '1'];
const power = (...args: string[]) => runCli(['power', ...args]);
async function planned(...args: string[]): Promise<Plan> {
	const { code, out, err } = await power(...args, '--json');
	expect({ code, err }).toEqual({ code: 0, err: '' });
	return Plan.strict().parse(JSON.parse(out));
}

describe('touchmark power', () => {
	it('plans queries for evidence, and evidence of queries', async () => {
		const inverse = await planned(...KGW, '--share', '0.1', '--evidence', '12');
		expect(inverse).toMatchObject({ access: 'grey', unit: 'calls', evidence: 12, warnings: [] });
		const forward = await planned(...KGW, '--share', '0.1', '--queries', String(inverse.queries));
		expect(forward.log10E).toBe(inverse.log10E);
		expect(forward.evidence).toBe(6);
		// 12 was wanted at one half: 6 is then nearly sure.
		expect(forward.probability).toBeGreaterThan(0.9);
	});

	it.each([
		[['--access', 'text'], 'distinct tokens'],
		[['--access', 'text', '--scheme', 'gumbel', '--share', '0.9'], 'distinct tokens'],
		[['--access', 'closed', '--share', '0.1', '--scheme', 'synthid', '--depth', '1'], 'tokens'],
		[['--access', 'open', '--share', '0.05', ...KGW, '--entropy', '3', '--transfer', '1.2'], 'positions'],
		[['--access', 'exposure', '--preferred', '0.8'], 'pairs'],
	])('%j', async (args, unit) => {
		const plan = await planned(...args);
		expect(plan).toMatchObject({ unit, evidence: 6 });
		expect(plan.log10E).toBeGreaterThanOrEqual(6);
		const { out } = await power(...args, '--quiet');
		expect(out).toContain(`${plan.queries} ${unit}: log10 e ${plan.log10E.toFixed(1)}`);
		expect(out).toContain('for planning');
		expect(out.trimEnd().split('\n')).toHaveLength(3);
	});

	it('takes the shape mark of a new key ring unless told otherwise', async () => {
		const { code, out } = await power('--share', '0.1', '--quiet');
		expect(code).toBe(0);
		expect(out).toMatch(/^grey, (kgw|synthid) .*context width 1, share 0\.1, entropy 3\.67 nats\n/);
	});

	it('warns on standard error of exposure that is spread over keys, unless --quiet', async () => {
		const { code, out, err } = await power(...KGW, '--share', '0.1', '--keys', '2');
		expect(code).toBe(0);
		expect(out).toContain('under 2 keys');
		expect(err).toMatch(/^warning: spread over 2 keys, each has a share of 0\.05; .* times as many\n/);
		expect((await power(...KGW, '--share', '0.1', '--keys', '2', '--quiet')).err).toBe('');
	});

	it('says when nothing is enough', async () => {
		const args = [...KGW, '--share', '0.005'];
		expect(await planned(...args)).toMatchObject({ queries: null, probability: expect.closeTo(0, 3) });
		const { code, out } = await power(...args);
		expect(code).toBe(0);
		expect(out).toContain('no number of calls gives log10 e 6');
	});

	it.each([
		[[], /"share".* is needed/],
		[['--share', 'much'], /"share".* number/],
		[['--share', '0'], /"share"/],
		[['--share', '1.1'], /"share"/],
		[['--share', '0.1', '--queries', '0'], /"queries"/],
		[['--share', '0.1', '--queries', '2.5'], /"queries".* integer/],
		[['--share', '0.1', '--evidence', '0'], /"evidence"/],
		[['--share', '0.1', '--keys', '0'], /"keys"/],
		[['--share', '0.1', '--entropy', '-1'], /"entropy"/],
		[['--share', '0.1', '--gamma', '0.5'], /--gamma.*--scheme/],
		[['--share', '0.1', '--scheme', 'kgw', '--gamma', '0.5'], /scheme\.delta/],
		[['--share', '0.1', '--scheme', 'kgw', '--depth', '2', '--gamma', '0.5', '--delta', '1'], /depth/],
		[['--share', '0.1', '--scheme', 'rot13'], /scheme/],
		[['--share', '0.1', '--scheme', 'gumbel'], /gumbel.* students do not learn/],
		[['--share', '0.1', '--context-width', '4'], /context.?width.* 1 and 2 only/i],
		[['--share', '0.1', '--preferred', '0.8'], /no use for preferred/],
		[['--access', 'text', '--keys', '2'], /no use for keys/],
		[['--access', 'exposure'], /"preferred".* is needed/],
		[['--access', 'exposure', '--preferred', '0.5'], /"preferred"/],
		[['--access', 'exposure', '--preferred', '0.8', '--share', '0.1'], /no use for share/],
		[['--access', 'telepathy'], /access/],
	])('refuses %j in one sentence', async (args, named) => {
		const { code, out, err } = await power(...args);
		expect({ code, out }).toEqual({ code: 2, out: '' });
		expect(err.trimEnd()).not.toContain('\n');
		expect(err).toMatch(named);
	});
});
