/**
 * A picture of networks: a disc for each candidate group, a dot for each account.
 *
 * The layout is computed, not simulated: discs stand in rows, the largest first, and dots on the spiral of a sunflower (Vogel 1979), those
 * in step from the centre outwards. Where there
 * is no room for all, a dot stands for several accounts. The same result gives the same picture.
 *
 * @module
 */
import type { NetworkAccount, NetworksResult } from '../networks/networks-result.js';
import { escapeHtml } from './html.js';
import { decimalText } from './number-text.js';

const WIDTH = 1000;
const GAP = 16;
/** Room for two lines under a disc. */
const LABEL = 40;
/** Narrowest place of a disc: its label must fit. */
const PLACE = 104;
/** Accounts of a group whose ties are drawn. */
const MOST_TIED = 20;
const GOLDEN = Math.PI * (3 - Math.sqrt(5));

type Group = NetworksResult['candidates'][number];

interface Disc {
	readonly group: Group;
	readonly radius: number;
	readonly x: number;
	readonly y: number;
}

/** Discs in rows. */
function laidOut(groups: readonly Group[]): { discs: Disc[]; height: number } {
	const largest = Math.max(...groups.map(({ accounts }) => accounts.length));
	const discs: Disc[] = [];
	let x = 0;
	let y = 0;
	let height = 0;
	for (const group of groups) {
		const radius = 16 + 84 * Math.sqrt(group.accounts.length / Math.max(largest, 100));
		const width = Math.max(PLACE, 2 * radius);
		if (x > 0 && x + width > WIDTH) {
			x = 0;
			y += height + GAP;
			height = 0;
		}
		// Rows begin with their largest disc, so the others hang from the same line.
		height = Math.max(height, 2 * radius + LABEL);
		discs.push({ group, radius, x: x + width / 2, y: y + radius });
		x += width + GAP;
	}
	return { discs, height: y + height };
}

/** Where the i-th of `count` dots lies. */
function place({ x, y, radius }: Disc, i: number, count: number): { x: number; y: number } {
	const distance = (radius - 5) * Math.sqrt((i + 0.5) / count);
	return { x: x + distance * Math.cos(i * GOLDEN), y: y + distance * Math.sin(i * GOLDEN) };
}

function inStep({ accounts }: Group): NetworkAccount[] {
	return accounts.filter(({ verdict }) => verdict === 'in-step');
}

function renderDisc(disc: Disc, ties: NetworksResult['ties']): string {
	const { group, radius, x, y } = disc;
	const steps = inStep(group).length;
	const size = group.accounts.length;
	const dots = Math.min(size, Math.floor((radius / 4.2) ** 2));
	const at = (value: number) => value.toFixed(1);
	const lines: string[] = [];
	if (size <= MOST_TIED) {
		const order = [...inStep(group), ...group.accounts.filter(({ verdict }) => verdict !== 'in-step')];
		const placeOf = new Map(order.map(({ account }, i) => [account, place(disc, i, size)]));
		for (const { a, b } of ties) {
			const from = placeOf.get(a);
			const to = placeOf.get(b);
			if (from !== undefined && to !== undefined)
				lines.push(`M${at(from.x)} ${at(from.y)}L${at(to.x)} ${at(to.y)}`);
		}
	}
	const stepDots = Math.round((dots * steps) / size);
	const circles = Array.from({ length: dots }, (_, i) => {
		const { x: cx, y: cy } = place(disc, i, dots);
		return `<circle class="${i < stepDots ? 'dot-step' : 'dot'}" cx="${at(cx)}" cy="${at(cy)}" r="2.6"/>`;
	});
	const name = group.network === null ? 'no network' : `network ${group.network}`;
	const counts = `${decimalText(steps, 0)} of ${decimalText(size, 0)} in step`;
	return `<g><title>${escapeHtml(`${name}: ${counts}`)}</title>
<circle class="${group.network === null ? 'group' : 'group found'}" cx="${at(x)}" cy="${at(y)}" r="${at(radius)}"/>
${lines.length > 0 ? `<path class="tie" d="${lines.join('')}"/>\n` : ''}${circles.join('')}
<text x="${at(x)}" y="${at(y + radius + 16)}" text-anchor="middle" class="name">${name}</text>
<text x="${at(x)}" y="${at(y + radius + 31)}" text-anchor="middle">${counts}</text></g>`;
}

/** The groups as one SVG element. @param groups at least one */
export function renderNetworksPicture(groups: readonly Group[], ties: NetworksResult['ties']): string {
	const sorted = [...groups].sort((a, b) => b.accounts.length - a.accounts.length);
	const { discs, height } = laidOut(sorted);
	return `<svg class="networks" viewBox="-4 -4 ${WIDTH + 8} ${Math.ceil(height) + 8}" role="img" aria-label="Candidate groups as discs, accounts as dots; dots in colour are accounts in step">
${discs.map((disc) => renderDisc(disc, ties)).join('\n')}
</svg>`;
}
