/**
 * What a mark is good for, in words: it says so when it is exported to a system that can carry one channel only.
 *
 * @module
 */
import type { MarkSpec } from './mark-spec.js';

/** What marks are for: is this text marked, was a model trained on it, through which account. */
export const PURPOSES = ['identify', 'inherit', 'trace'] as const;

/** For each purpose, whether the mark serves it, and why or why not. */
export type Purposes = Readonly<
	Record<(typeof PURPOSES)[number], { readonly served: boolean; readonly why: string }>
>;

/** Widest context at which students were seen to learn a mark. */
const INHERITED_WIDTH = 2;

/** Purposes of a mark. */
export function purposesOf(spec: MarkSpec): Purposes {
	const width = spec.contextWidth;
	const narrow = width <= INHERITED_WIDTH;
	const keyed = spec.channel === 'choice';
	return {
		identify: {
			served: true,
			why: keyed
				? 'the draw is keyed: a text of some dozen tokens can be told'
				: 'green tokens can be counted in a text, though more of it is needed than for a keyed draw',
		},
		inherit: {
			served: narrow,
			why: narrow
				? `students learn a context of width ${width}${keyed ? ', but a keyed draw this narrow costs the answers variety' : ''}`
				: `a context of width ${width} identifies and is not inherited; width 2 is, weakly, and costs the answers variety`,
		},
		trace: {
			served: spec.layer !== 'deployment',
			why:
				spec.layer === 'deployment'
					? 'one key for the whole deployment says nothing about accounts'
					: `the key belongs to one ${spec.layer}`,
		},
	};
}
