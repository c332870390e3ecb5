/**
 * How many queries it takes to prove inheritance, from the measurements of `bench/distillation/measure.ts`.
 *
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CLAIMED } from './distillation/cells.js';
import type { Measured, Point } from './distillation/measure.js';
import { type Bench, median, type Row } from './rows.js';

/** Evidence that is asked for: log10 e, or −log10 p of a procedure without e-values. */
const WANTED = 6;

const WAYS = {
	grey: { unit: 'calls, one position each', baselines: ['reading mode', 'one token a context'] },
	open: { unit: 'positions', baselines: ['reading mode'] },
	closed: { unit: 'tokens of answers', baselines: ['distinct and filtered'] },
} as const;
const OURS = ['weighted', 'weighted+student'] as const;

const evidence = ({ log10P, log10E }: Point): number => log10E ?? -log10P;

/** Queries at which the evidence is there; the next step beyond what was tried when it never is. */
function queriesOf(points: readonly Point[]): { readonly queries: number; readonly reached: boolean } {
	const first = points.find((point) => evidence(point) >= WANTED);
	return { queries: (first ?? points[points.length - 1]).queries, reached: first !== undefined };
}

const curvesOf = (measured: Measured, way: keyof typeof WAYS, name: string): readonly Point[] | undefined =>
	(measured[way] as Readonly<Record<string, readonly Point[]>> | undefined)?.[name];

/** All measurements, by cell. */
function measurements(): Measured[] {
	const folder = join(import.meta.dirname, 'distillation/measured');
	return readdirSync(folder)
		.filter((file) => file.endsWith('.json'))
		.sort()
		.map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as Measured);
}

export const bench: Bench = {
	about:
		'Queries until log10 e reaches 6 (baselines without e-values: log10 p ≤ −6), students of the embedded base model: 8,192 ' +
		'texts of 112 tokens, two epochs, a share ρ of them marked; median over seeds, each with its own key and texts. Ours: ' +
		'weighted residuals beside the unmarked teacher and the base (`weighted`), and beside a student that the provider trains on ' +
		'unmarked text of its own (`weighted+student`). Baselines, on the same queries: closed, distinct pairs with the filter on ' +
		'contexts; open, reading mode; grey, reading mode and one drawn token per distinct context by Hoeffding’s bound. A number of ' +
		'queries that was tried and is not enough counts as itself for a baseline; the notes say where.',
	async run() {
		const all = measurements();
		const rows: Row[] = [];
		const notes: string[] = [];
		const cells = new Map<string, Measured[]>();
		for (const one of all) {
			const key = `${one.mark}${one.mark.includes('+') ? ` ${one.channel}` : ''} ρ ${one.rho}`;
			cells.set(key, [...(cells.get(key) ?? []), one]);
		}
		for (const [name, seeds] of cells)
			for (const [way, { unit, baselines }] of Object.entries(WAYS) as [
				keyof typeof WAYS,
				(typeof WAYS)[keyof typeof WAYS],
			][]) {
				const measured = seeds.filter((one) => one[way] !== undefined);
				if (measured.length === 0) continue;
				const summary = (curve: string) => {
					const points = measured.flatMap((one) => {
						const found = curvesOf(one, way, curve);
						return found === undefined || found.length === 0 ? [] : [found];
					});
					const needed = points.map(queriesOf);
					const last = points.map((some) => evidence(some[some.length - 1]));
					return {
						curve,
						queries: median(needed.map(({ queries }) => queries)),
						reached: needed.filter(({ reached }) => reached).length,
						most: Math.max(...points.map((some) => some[some.length - 1].queries)),
						last: median(last),
					};
				};
				const ours = OURS.map(summary);
				const published = baselines.map(summary);
				const describe = ({ curve, queries, reached, most, last }: ReturnType<typeof summary>) =>
					`${curve} ${2 * reached > measured.length ? queries : `more than ${most}`} (${reached} of ${measured.length} seeds; ` +
					`median evidence at ${most}: ${last.toFixed(1)})`;
				notes.push(`${name}, ${way}: ${[...ours, ...published].map(describe).join('; ')}.`);
				const best = (some: ReturnType<typeof summary>[]) =>
					some.reduce((a, b) => {
						const better = (x: typeof a) => [2 * x.reached > measured.length ? 1 : 0, -x.queries];
						const [ra, qa] = better(a);
						const [rb, qb] = better(b);
						return rb > ra || (rb === ra && qb > qa) ? b : a;
					});
				const us = best(ours);
				const them = best(published);
				if (2 * us.reached > measured.length)
					rows.push({
						case: `${way}-queries@${measured[0].rho} ${name.split(' ρ')[0]}`,
						ours: us.queries,
						peer: them.queries,
						peerName: `${them.curve}${2 * them.reached > measured.length ? '' : ', not enough'}`,
						unit,
						ratio: them.queries / us.queries,
					});
			}
		const claimed = new Set<string>(CLAIMED);
		rows.sort(
			(a, b) => Number(claimed.has(b.case.split(' ')[1])) - Number(claimed.has(a.case.split(' ')[1])),
		);
		return { rows, notes };
	},
};
