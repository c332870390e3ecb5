/**
 * What the examples share: the demonstration's public marks, and a line that says what was found.
 *
 * @example
 * import { demoMarks, show } from './demo.mjs';
 * const marks = await demoMarks();
 * show('my host', text, tokens, prompt, receipt, marks);
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { detect, openKeyring } from 'touchmark';

/** Marks of the key ring in `models/keys`: unsealed, known to everybody, for demonstrations only. */
export async function demoMarks() {
	const file = JSON.parse(readFileSync(new URL('../models/keys/keyring.json', import.meta.url), 'utf8'));
	const ring = await openKeyring(file, () => '');
	return ring.marks.map((spec) => ring.bind(spec, 'embed'));
}

/** Prints text, receipt and the test of every mark. */
export function show(host, text, tokens, given, receipt, marks) {
	const { verdict, tests } = detect(host, tokens, marks, { given });
	const found = tests.map((test, i) => `${marks[i].spec.scheme.name} log10 p ${test.log10P.toFixed(1)}`);
	process.stdout.write(
		`${text}\n\nreceipt ${JSON.stringify(receipt)}\n${host}: ${verdict}, ${found.join(', ')}, ${tokens.length} tokens\n`,
	);
}
