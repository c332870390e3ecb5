/**
 * The page: paste a text, see the verdict. It loads nothing, keeps nothing, and runs the one script that its policy
 * names by hash.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { escapeHtml } from '../evidence/html.js';
import { PAGE_STYLE } from '../evidence/page-style.js';
import { VERSION } from '../version.js';
import { PAGE_SCRIPT } from './page-script.js';

const FORM_STYLE = `
form { max-width: 46rem; }
label { display: block; font-weight: 600; margin: 1rem 0 .25rem; }
textarea, input { display: block; width: 100%; font: inherit; color: inherit; background: var(--panel); border: 1px solid var(--dim);
	border-radius: .375rem; padding: .5rem .75rem; }
textarea { min-height: 14rem; resize: vertical; }
button { font: inherit; font-weight: 600; margin-top: 1rem; min-height: 2.75rem; padding: .5rem 1.5rem; border: 0; border-radius: .375rem;
	background: var(--accent); color: var(--on-accent); cursor: pointer; }
button:disabled { opacity: .6; cursor: progress; }
textarea:focus-visible, input:focus-visible, button:focus-visible { outline: 2px solid var(--accent); outline-offset: 3px; }
#problem:not(:empty) { border-left: 4px solid var(--ink); padding-left: .75rem; font-weight: 600; }
#answer { max-width: 46rem; }
.hint { color: var(--dim); font-size: .875rem; margin: .25rem 0; }
`;

const STYLE = `${PAGE_STYLE}${FORM_STYLE}`;

/** A page and the headers that it goes out with. */
export interface ServedPage {
	readonly html: string;
	readonly headers: Readonly<Record<string, string>>;
}

/** @param textBytes the longest text that the server takes */
export function renderServePage(textBytes: number): ServedPage {
	const kibibytes = Math.floor(textBytes / 1024);
	const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="touchmark ${escapeHtml(VERSION)}">
<link rel="icon" href="data:,">
<title>Is this text marked?</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>Is this text marked?</h1>
<p class="meta">touchmark ${escapeHtml(VERSION)}</p>
</header>
<main>
<form id="form" autocomplete="off">
<label for="text">Text</label>
<textarea id="text" name="text" required spellcheck="false" aria-describedby="text-hint"></textarea>
<p class="hint" id="text-hint">At most ${kibibytes} KiB. A few hundred words tell more than a few lines. Paste it as it is: edits weaken a mark.</p>
<label for="key">API key</label>
<input id="key" name="key" type="password" required autocomplete="off" spellcheck="false" aria-describedby="key-hint">
<p class="hint" id="key-hint">Sent with the request, and kept nowhere.</p>
<button id="test" type="submit">Test</button>
</form>
<p id="problem" role="alert"></p>
<section id="answer" aria-labelledby="answer-heading" hidden>
<h2 id="answer-heading" tabindex="-1">Answer</h2>
<p><span id="verdict" class="verdict"></span></p>
<p id="meaning"></p>
</section>
<noscript><p>This page needs JavaScript. Without it, send the text to <code>/v1/detect</code>; <a href="openapi.json">openapi.json</a> says how.</p></noscript>
</main>
<footer>This page loads nothing from elsewhere. The text goes to this server, which logs that it was asked, not what.</footer>
<script>${PAGE_SCRIPT}</script>
</body>
</html>
`;
	const policy = [
		"default-src 'none'",
		`script-src ${sourceHash(PAGE_SCRIPT)}`,
		`style-src ${sourceHash(STYLE)}`,
		'img-src data:',
		"connect-src 'self'",
		"base-uri 'none'",
		"form-action 'none'",
		"frame-ancestors 'none'",
	];
	return {
		html,
		headers: {
			'Content-Type': 'text/html; charset=utf-8',
			'Content-Security-Policy': policy.join('; '),
			'Cross-Origin-Opener-Policy': 'same-origin',
		},
	};
}

/** How a policy names an inline script or style. */
function sourceHash(source: string): string {
	return `'sha256-${createHash('sha256').update(source).digest('base64')}'`;
}
