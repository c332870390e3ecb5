import { describe, expect, test } from 'vitest';
import { newHistogramFrame, renderHistogram } from '../../src/evidence/histogram.js';
import { escapeHtml } from '../../src/evidence/html.js';
import { decimalText, logText, oddsText, rateText } from '../../src/evidence/number-text.js';
import { type ReportData, renderReport } from '../../src/evidence/report.js';
import { EXAMPLE } from './example-report.js';

const [FOUND, INNOCENT] = EXAMPLE.suspects;

function withSuspect(change: Partial<ReportData['suspects'][number]>): string {
	return renderReport({ ...EXAMPLE, suspects: [{ ...FOUND, ...change }] });
}

/** Tags opened and closed, in order; throws on a tag that closes another one. */
function expectBalanced(page: string): void {
	const open: string[] = [];
	const alone = new Set(['meta', 'link']);
	for (const [, closing, name, selfClosed] of page.matchAll(/<(\/?)([a-z][a-z0-9]*)[^>]*?(\/?)>/g)) {
		if (closing === '/') expect(open.pop()).toBe(name);
		else if (!alone.has(name) && selfClosed === '') open.push(name);
	}
	expect(open).toEqual([]);
}

describe('the page', () => {
	const page = renderReport(EXAMPLE);

	test('is pure, balanced and loads nothing', () => {
		expect(renderReport(EXAMPLE)).toBe(page);
		expectBalanced(page);
		expect(page).not.toMatch(/<script|<iframe|<img|@import|url\(|src=|https?:/);
		const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
		expect(new Set(ids).size).toBe(ids.length);
		for (const [, references] of page.matchAll(/aria-labelledby="([^"]+)"/g))
			for (const id of references.split(' ')) expect(ids).toContain(id);
	});
	test('says what was found, the error rate and the limits', () => {
		expect(page).toMatch(/tested 6 suspects .* found it in 2 .*at most 1 in 1,000,000\./);
		expect(page).toContain('2 of 2 trained on text marked with the key, and 0 of 4 trained without it');
		expect(page).toContain('“No evidence” does not mean “not distilled”');
		expect(page).toContain('A finding cannot by itself exclude that a suspect relays');
		expect(renderReport({ ...EXAMPLE, suspects: [INNOCENT] })).not.toContain('cannot by itself exclude');
		expect(renderReport({ ...EXAMPLE, suspects: [INNOCENT] })).toContain('found it in none of them');
	});
	test('has a row for each suspect with header cells', () => {
		expect(page.match(/<th [^>]*scope="row">/g)).toHaveLength(6 + EXAMPLE.passage.tokens.length);
		expect(page.match(/<caption>/g)).toHaveLength(2);
		expect(page).toContain('<data value="-60.31">−60.3</data>');
		expect(page).toContain('1 of 100');
		expect(page).toContain('>2026-11-02 09:30 UTC</time>');
		expect(page).toContain('cannot rule out: relay');
	});
	test('has a histogram with a description for each suspect', () => {
		expect(page.match(/<svg [^>]*role="img"/g)).toHaveLength(6);
		expect(page.match(/true key: /g)).toHaveLength(6);
		expect(page).toContain('The true key lies beyond all 99 held-out keys');
		expect(page).toContain('not to scale beyond the break');
	});
	test('shows trials of served answers where there are any, with what was assumed', () => {
		expect(page).not.toContain('id="exposure"');
		const row = { suspect: '<i>student', trainedOnServed: true, pairs: 224, ties: 4, servedPreferred: 199 };
		const exposure = [{ ...row, log10P: -41.25, assumptions: [], verdict: 'exposed' }];
		const shown = renderReport({ ...EXAMPLE, exposure });
		expectBalanced(shown);
		expect(shown).toContain('<data value="199">199</data> of 220');
		expect(shown).toContain('trained on served answers');
		expect(shown).toContain('&lt;i&gt;student');
		expect(shown).not.toContain('drawn afterwards');
		const [first] = exposure;
		const later = { ...first, assumptions: ['exchangeable-redraw'] };
		expect(renderReport({ ...EXAMPLE, exposure: [later] })).toContain(
			'the second answers were drawn afterwards',
		);
	});
	test('keeps the text of the passage', () => {
		const passage = page.match(/<p class="passage"[^>]*>(.*?)<\/p>/s)?.[1] ?? '';
		expect(passage.replace(/<[^>]+>/g, '')).toBe(EXAMPLE.passage.tokens.map(({ text }) => text).join(''));
		expect(passage).toMatch(/class="unscored no-list" title="choice: not scored; green list: not scored"/);
		expect(passage).toMatch(/class="shade-\d green" title="choice: [\d.]+ nats; on the green list"/);
	});
});

describe('text from outside is inert', () => {
	const evil = `"'><script>alert(1)</script><img src=x onerror=alert(2)>&amp;`;

	test('wherever it may appear', () => {
		const page = renderReport({
			title: evil,
			version: evil,
			generatedAt: evil,
			seconds: 1,
			level: 1e-6,
			suspects: [{ ...FOUND, suspect: evil, verdict: evil, alternatives: [evil, 'relay'] }],
			passage: { title: evil, tokens: [{ text: evil, green: true, nats: 1 }] },
			commands: [evil],
		});
		expect(page).not.toMatch(/<script|<img/);
		expect(page.match(/&lt;script&gt;/g)!.length).toBeGreaterThan(10);
		expectBalanced(page);
	});
	test('control characters are replaced, lines and tabs are kept', () => {
		expect(escapeHtml('a\0b\x1B[2Jc\u0085\n\t<')).toBe('a\uFFFDb\uFFFD[2Jc\uFFFD\n\t&lt;');
	});
	test('a verdict named like a property of objects is only text', () => {
		expect(withSuspect({ verdict: 'constructor' })).toContain('</span>constructor</span>');
	});
});

describe('unusual data', () => {
	test.each([
		['log10P 0', { log10P: 0 }],
		['log10P −5000', { log10P: -5000 }],
		['log10P −∞', { log10P: Number.NEGATIVE_INFINITY }],
		['no held-out keys', { heldOut: { count: 0, rank: 1 }, heldOutLog10Ps: [] }],
		['one held-out key, far away', { heldOut: { count: 1, rank: 2 }, heldOutLog10Ps: [-6000] }],
		['nothing scored', { scored: 0, mean: null, log10P: 0, verdict: 'too-little-data' }],
	])('%s', (_, change) => {
		const page = withSuspect(change);
		expectBalanced(page);
		expect(page).not.toMatch(/NaN|undefined/);
		expect(page.match(/<svg.*?<\/svg>/s)![0]).not.toContain('Infinity');
		const svg = page.match(/<svg.*?<\/svg>/s)![0];
		for (const [, x] of svg.matchAll(/ x="([^"]+)"/g)) {
			expect(Number(x)).toBeGreaterThanOrEqual(0);
			expect(Number(x)).toBeLessThanOrEqual(340);
		}
		for (const [, height] of svg.matchAll(/ height="([^"]+)"/g))
			expect(Number(height)).toBeGreaterThanOrEqual(0);
	});
	test('their words', () => {
		expect(withSuspect({ log10P: -5000 })).toContain('true key: 5,000');
		expect(withSuspect({ heldOut: { count: 0, rank: 1 }, heldOutLog10Ps: [] })).toContain('not ranked');
		expect(withSuspect({ scored: 0, mean: null })).toContain('nothing scored (0.50)');
	});
	test('nothing at all', () => {
		const page = renderReport({ ...EXAMPLE, suspects: [], passage: { title: '', tokens: [] }, commands: [] });
		expectBalanced(page);
		expect(page).toContain('No suspect was tested.');
		expect(page).toContain('No passage was given.');
		expect(page).not.toContain('Recompute');
	});
});

describe('the histogram', () => {
	test('counts every held-out key once, on the axis or behind the break', () => {
		const sample = { log10P: -60, heldOutLog10Ps: [0, -0.1, -0.25, -1, -6.99, -7, -41, -5000] };
		const frame = newHistogramFrame([sample], 1e-6);
		expect(frame.limit).toBe(40);
		const svg = renderHistogram(sample, frame, 'h', 'name');
		expect(svg).toContain('0 to 1: 3; 1 to 2: 1; 6 to 7: 1; 7 to 8: 1; beyond the axis: 2.');
		expect(svg).toContain('1 of 8 held-out keys at or beyond it');
	});
	test('the true key has its place on the linear axis when it fits', () => {
		const sample = { log10P: -3.5, heldOutLog10Ps: [-1] };
		const svg = renderHistogram(sample, newHistogramFrame([sample], 1e-6), 'h', 'name');
		expect(svg).toContain(`class="truth" d="M${((34 + 282) / 2).toFixed(1)},`);
		expect(svg).toContain('true key: 3.50');
	});
});

test('numbers as people read them', () => {
	expect([-60.31, -0.354, 0, -0, -5000, -0.001, Number.NEGATIVE_INFINITY, Number.NaN].map(logText)).toEqual([
		'−60.3',
		'−0.35',
		'0.00',
		'0.00',
		'−5,000',
		'0.00',
		'−∞',
		'n/a',
	]);
	expect([1e-6, 1e-12, 0.05, 1].map(rateText)).toEqual(['10⁻⁶', '10⁻¹²', '0.05', '1']);
	expect([1e-6, 0.05, 1].map(oddsText)).toEqual(['1 in 1,000,000', '1 in 20', '1']);
	expect(decimalText(31234, 0)).toBe('31,234');
});
