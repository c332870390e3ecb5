/**
 * Verdicts in words, the same on every page.
 *
 * @module
 */
import type { Verdict } from '../verify/test-result.js';
import { escapeHtml } from './html.js';

/** How a verdict is worded, and what kind of answer it is. The sign says the kind without colour. */
const VERDICTS: Readonly<Record<Verdict, { words: string; kind: 'found' | 'none' | 'unsure' }>> = {
	marked: { words: 'text is marked', kind: 'found' },
	'trained-on-marked': { words: 'trained on marked text', kind: 'found' },
	exposed: { words: 'trained on served answers', kind: 'found' },
	'no-evidence': { words: 'no evidence', kind: 'none' },
	'too-little-data': { words: 'too little data', kind: 'unsure' },
};
const SIGNS = { found: '●', none: '○', unsure: '…' } as const;

/** What kind of answer a verdict is; anything but a verdict of ours is no finding. */
export function kindOf(verdict: string): 'found' | 'none' | 'unsure' {
	return wordingOf(verdict)?.kind ?? 'unsure';
}

/** Its words. */
function wordingOf(verdict: string): (typeof VERDICTS)[Verdict] | undefined {
	return Object.hasOwn(VERDICTS, verdict) ? VERDICTS[verdict as Verdict] : undefined;
}

/** A verdict as a badge. */
export function verdictCell(verdict: string): string {
	const kind = kindOf(verdict);
	const words = escapeHtml(wordingOf(verdict)?.words ?? verdict);
	return `<span class="verdict ${kind}"><span aria-hidden="true">${SIGNS[kind]} </span>${words}</span>`;
}
