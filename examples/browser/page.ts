/**
 * The page: reads its fields, tests, shows the result.
 *
 * @module
 */
import './jitless.js';

import { type Tokenizer, tokenizerOf } from '../../src/corpus/tokenizer.js';
import type { DetectResult } from '../../src/verify/detect.js';
import { type Kind, scan } from './scan.js';

function element<T extends HTMLElement>(selector: string): T {
	const found = document.querySelector<T>(selector);
	if (found === null) throw new Error(`the page has no ${selector}`);
	return found;
}

const text = element<HTMLTextAreaElement>('#text');
const prompt = element<HTMLTextAreaElement>('#prompt');
const kind = element<HTMLSelectElement>('#kind');
const config = element<HTMLTextAreaElement>('#config');
const file = element<HTMLInputElement>('#tokenizer');
const problem = element('#problem');
const result = element('#result');
const verdict = element('#verdict');

let embedded: Promise<Tokenizer> | undefined;

/** The chosen tokenizer, or the one that lies beside the page. */
async function chosenTokenizer(): Promise<Tokenizer> {
	const chosen = file.files?.[0];
	if (chosen !== undefined) return tokenizerOf(new Uint8Array(await chosen.arrayBuffer()), chosen.name);
	embedded ??= fetch('tokenizer.json')
		.then((response) => response.arrayBuffer())
		.then((bytes) => tokenizerOf(new Uint8Array(bytes), 'tokenizer.json'));
	return embedded;
}

function show({ tests, ...headline }: DetectResult): void {
	verdict.textContent = `${headline.verdict}: p ≤ ${power(headline.log10PCorrected)}, corrected, at level ${headline.level}`;
	const rows = tests.map((test) => {
		const row = document.createElement('tr');
		const name = document.createElement('th');
		name.scope = 'row';
		name.textContent = `${test.scheme} ${test.mark.slice(0, 8)}`;
		const { mean, expected } = test.effect;
		const cells = [
			String(test.scored),
			mean === null ? '' : mean.toFixed(4),
			expected.toFixed(4),
			test.log10P.toFixed(1),
			test.log10PCorrected.toFixed(1),
			test.power.toFixed(2),
		].map((content) => {
			const cell = document.createElement('td');
			cell.textContent = content;
			return cell;
		});
		row.append(name, ...cells);
		return row;
	});
	element('#result tbody').replaceChildren(...rows);
	element('#json').textContent = JSON.stringify({ ...headline, tests });
	result.hidden = false;
	verdict.focus();
}

function power(log10: number): string {
	return log10 < -3 ? `10^${log10.toFixed(1)}` : (10 ** log10).toPrecision(2);
}

element<HTMLFormElement>('form').addEventListener('submit', async (event) => {
	event.preventDefault();
	problem.textContent = '';
	result.hidden = true;
	try {
		const fields = {
			text: text.value,
			prompt: prompt.value,
			kind: kind.value as Kind,
			config: config.value,
		};
		show(scan(fields, await chosenTokenizer()));
	} catch (error) {
		problem.textContent = error instanceof Error ? error.message : String(error);
	}
});
