/**
 * A process that writes receipts until it is killed: `node receipts-writer.mjs FOLDER RUN`. Prints `opening`, `open`, and
 * after each acknowledgement where the entry stands: `INDEX LEAF`.
 *
 * @module
 */
import { hash } from 'node:crypto';
import { createKeyring } from '../dist/keys/index.js';
import { newReceiptLog, openLog } from '../dist/ledger/index.js';

const [folder, run] = process.argv.slice(2);
const ring = createKeyring({ unsealed: true }, new Uint8Array(32).fill(9));
process.stdout.write('opening\n');
const log = await openLog(folder, ring);
process.stdout.write('open\n');
const receipts = newReceiptLog(log);
const receiptOf = (i) => ({
	version: 1,
	id: `run ${run} receipt ${i}`,
	status: 'finished',
	marks: [],
	unkeyedShare: 0,
	temperature: 1,
	tokens: i,
	segments: [{ reason: 'answer', marked: true, tokens: i, tilted: i, keyed: i }],
	salt: '0'.repeat(32),
	outputHash: hash('sha256', `${run} ${i}`),
	time: new Date().toISOString(),
});
let next = 0;
async function serve() {
	for (;;) {
		const { index, leaf } = await receipts.append(receiptOf(next++), null);
		process.stdout.write(`${index} ${leaf}\n`);
	}
}
await Promise.all(Array.from({ length: 500 }, serve));
