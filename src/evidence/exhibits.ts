/**
 * What a bundle shows beside its numbers, out of the files and under the opened keys: how evidence grew, passages with the
 * score of each token, and pairs of a trial; and what it cannot show. None of it is evidence of its own; the tests are.
 *
 * @module
 */
import { type EvidenceCurve, renderEvidenceCurve, unitOf } from './evidence-curve.js';
import { escapeHtml } from './html.js';
import { decimalText, logText } from './number-text.js';
import { section } from './page.js';
import { type PassageToken, renderPassage } from './passage-view.js';

/** An answer with the scores of its tokens. */
export interface ShownPassage {
	readonly suspect: string;
	/** What is shown: which file, which record. */
	readonly from: string;
	/** Whether the answer goes on. */
	readonly cut: boolean;
	readonly tokens: readonly PassageToken[];
}

/** One answer of a pair. */
interface ShownAnswer {
	readonly text: string;
	/** What the suspect scored. */
	readonly score: number;
}

/** A pair of a trial. */
export interface ShownPair {
	readonly suspect: string;
	readonly id: string;
	readonly prompt: string;
	readonly served: ShownAnswer;
	readonly unserved: ShownAnswer;
}

/** All of it. */
export interface Exhibits {
	readonly curves: readonly EvidenceCurve[];
	readonly passages: readonly ShownPassage[];
	readonly pairs: readonly ShownPair[];
	/** What a reader would look for and does not find, and why: sentences. */
	readonly missing: readonly string[];
}

/** Characters of a text that are shown. */
const LONGEST = 400;

/** The sections of a page. @param exhibits null where files or keys were not given */
export function exhibitSections(exhibits: Exhibits | null): string[] {
	if (exhibits === null)
		return [
			section(
				'exhibits',
				'Examples',
				'<p>How evidence grew from answer to answer, marked passages and pairs of a trial are shown when this page is made with the files and the opened keys (<code>--corpus</code>, <code>--key</code>).</p>',
			),
		];
	return [curves(exhibits), passages(exhibits), pairs(exhibits), missing(exhibits)].filter(
		(part) => part !== '',
	);
}

function curves({ curves: all }: Exhibits): string {
	if (all.length === 0) return '';
	const figures = all.map((curve, i) => {
		const name = `${curve.suspect}, ${curve.of}`;
		const last = curve.points[curve.points.length - 1];
		const reached = curve.points.find(({ log10E }) => log10E >= curve.threshold);
		const said =
			reached === undefined
				? 'the level is not reached'
				: `the level is reached after ${decimalText(reached.count, 0)}`;
		return `<figure>
<figcaption><strong><bdi>${escapeHtml(name)}</bdi></strong>After ${decimalText(last.count, 0)} ${unitOf(curve)} log₁₀ e is ${logText(last.log10E)}; ${said}.</figcaption>
${renderEvidenceCurve(curve, `curve-${i}`, name)}
</figure>`;
	});
	return section(
		'curves',
		'How the evidence grew',
		`<p>An e-value that may be looked at after every answer or pair: it is at most 1 on average without the mark or the exposure, however one looks, and reaches the dashed line with a probability of at most the level, corrected for all marks, suspects and tests. Files are read in their order, which must not have been chosen with the key or the coins in hand.</p>
<p>Under a mark it is another test than that of the table, which may weigh pairs: each distinct pair once, all with the same weight, through the first 5,000 answers at most, under the mark of each channel that the tests found strongest. That of a trial ends at the e-value of the table. No verdict rests on these curves.</p>
<div class="panels">
${figures.join('\n')}
</div>`,
	);
}

function passages({ passages: all }: Exhibits): string {
	if (all.length === 0) return '';
	const shown = all.map(({ suspect, from, cut, tokens }) =>
		renderPassage({ title: `${suspect}: ${from}${cut ? ', its beginning' : ''}`, tokens }),
	);
	return section(
		'passages',
		'Passages with the score of each token',
		`<p>The first answers of suspects with a finding that are long enough to show; of <code>detect</code>, the first documents that were found, after correction for all documents and tests. They are the first and not the best, and examples: a student’s answers hold little of the mark each, and the result is that of all answers together. Each is scored by itself, as <code>detect</code> would: a pair that was there before, or in what was asked, is not counted and stays grey. Whoever reads the scores learns what the key says of these pairs.</p>
${shown.join('\n')}`,
	);
}

function pairs({ pairs: all }: Exhibits): string {
	if (all.length === 0) return '';
	const shown = all.map(({ suspect, id, prompt, served, unserved }) => {
		const preferred = served.score > unserved.score ? 'the served one' : 'the one that was not served';
		return `<figure class="pair">
<figcaption><strong>Pair <bdi>${escapeHtml(id)}</bdi>, <bdi>${escapeHtml(suspect)}</bdi></strong>. The suspect prefers ${preferred}.</figcaption>
<dl>
${prompt === '' ? '' : `<dt>Question</dt><dd dir="auto">${shortened(prompt)}</dd>`}
<dt>Served: ${logText(served.score)}</dt><dd dir="auto">${shortened(served.text)}</dd>
<dt>Not served: ${logText(unserved.score)}</dt><dd dir="auto">${shortened(unserved.text)}</dd>
</dl>
</figure>`;
	});
	return section(
		'pairs',
		'Pairs of the trial',
		`<p>Two answers to a question, of which one was served. These are the first that the test counts, whichever the suspect prefers: no ties, and none of a control account; each answer with what the suspect scored on it. A suspect that never saw them prefers the served one in half of such pairs, on average.</p>
${shown.join('\n')}`,
	);
}

function missing({ missing: sentences }: Exhibits): string {
	if (sentences.length === 0) return '';
	const items = sentences.map((sentence) => `<li>${escapeHtml(sentence)}</li>`);
	return section('not-shown', 'What is not shown', `<ul>\n${items.join('\n')}\n</ul>`);
}

function shortened(text: string): string {
	const characters = [...text];
	return characters.length <= LONGEST
		? escapeHtml(text)
		: `${escapeHtml(characters.slice(0, LONGEST).join(''))} […]`;
}
