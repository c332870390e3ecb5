/**
 * Networks as GraphML, for programs that draw graphs.
 *
 * @see http://graphml.graphdrawing.org/specification.html
 * @module
 */
import type { NetworksResult } from '../networks/networks-result.js';
import { escapeHtml } from './html.js';

const NODE = {
	group: 'int',
	network: 'int',
	requests: 'int',
	sessions: 'int',
	log10P: 'double',
	verdict: 'string',
} as const;

/**
 * All accounts of candidate groups, and the ties between neighbours of one group. `network` is 0 for accounts in none; the `weight` of
 * an edge is the similarity of prompts. Pieces of the file, in order.
 */
export function* networksGraphml({ candidates, ties }: NetworksResult): Generator<string> {
	yield '<?xml version="1.0" encoding="UTF-8"?>\n<graphml xmlns="http://graphml.graphdrawing.org/xmlns">\n';
	for (const [name, type] of Object.entries(NODE))
		yield `<key id="${name}" for="node" attr.name="${name}" attr.type="${type}"/>\n`;
	yield '<key id="weight" for="edge" attr.name="weight" attr.type="double"/>\n<graph edgedefault="undirected">\n';
	for (const { id, network, accounts } of candidates)
		for (const { account, requests, sessions, log10P, verdict } of accounts) {
			const inNetwork = verdict === 'in-step' ? (network ?? 0) : 0;
			const data = { group: id, network: inNetwork, requests, sessions, log10P, verdict };
			yield `<node id="${escapeHtml(account)}">${Object.entries(data)
				.map(([key, value]) => `<data key="${key}">${value}</data>`)
				.join('')}</node>\n`;
		}
	for (const { a, b, similarity } of ties)
		yield `<edge source="${escapeHtml(a)}" target="${escapeHtml(b)}"><data key="weight">${similarity}</data></edge>\n`;
	yield '</graph>\n</graphml>\n';
}
