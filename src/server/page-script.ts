/**
 * The script of the page, as a browser gets it.
 *
 * @module
 */

/** Sends the form, shows the answer, and moves the focus to it. */
export const PAGE_SCRIPT = `
'use strict';
const byId = (id) => document.getElementById(id);
const form = byId('form');
const MEANINGS = {
	'marked/strong': ['marked', 'found', 'The text carries the mark, with much more evidence than a verdict needs. The marked model wrote it, or it was copied from what that model wrote, or made to look so.'],
	'marked/sufficient': ['marked', 'found', 'The text carries the mark, with enough evidence for a verdict. The marked model wrote it, or it was copied from what that model wrote, or made to look so.'],
	'no-evidence/none': ['no evidence', 'none', 'The text is long enough, and the mark was not found. That does not say who wrote it: edits and paraphrase remove a mark.'],
	'too-little-data/none': ['too little data', 'unsure', 'The text is too short to tell. Send more of it.'],
};
form.addEventListener('submit', async (event) => {
	event.preventDefault();
	const button = byId('test');
	const problem = byId('problem');
	problem.textContent = '';
	byId('answer').hidden = true;
	const key = byId('key').value.trim();
	if (!/^[!-~]+$/.test(key)) {
		problem.textContent = 'An API key has letters and digits only.';
		byId('key').focus();
		return;
	}
	button.disabled = true;
	try {
		const response = await fetch('v1/detect', {
			method: 'POST',
			headers: { 'Content-Type': 'application/json', Authorization: 'Bearer ' + key },
			body: JSON.stringify({ text: byId('text').value }),
		});
		const body = await response.json();
		if (!response.ok) {
			const wait = response.headers.get('Retry-After');
			problem.textContent = 'The server refused: ' + body.error.message + (wait === null ? '.' : '. Try again in ' + wait + ' s.');
			return;
		}
		const [name, kind, meaning] = MEANINGS[body.verdict + '/' + body.confidence];
		byId('verdict').textContent = name;
		byId('verdict').className = 'verdict ' + kind;
		byId('meaning').textContent = meaning;
		byId('answer').hidden = false;
		byId('answer-heading').focus();
	} catch {
		problem.textContent = 'The server did not answer. Try again.';
	} finally {
		button.disabled = false;
	}
});
`;
