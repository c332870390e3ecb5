/**
 * Finds a vocabulary's added tokens in text: leftmost first, the longest of those that begin at one place.
 *
 * @module
 */

interface Node {
	readonly children: Map<string, Node>;
	/** Present where a token ends. */
	content?: string;
}

/** Looks for added tokens. */
export interface AddedTokenFinder {
	/** The first token at or after a place, or null. */
	next(text: string, from: number): { readonly at: number; readonly content: string } | null;
}

/**
 * A finder for these strings, however many there are: a pattern jumps to where one may begin, a prefix tree says
 * which one does. Works on UTF-16 code units.
 */
export function addedTokenFinder(contents: Iterable<string>): AddedTokenFinder {
	const root: Node = { children: new Map() };
	for (const content of contents) {
		let node = root;
		for (const unit of content.split('')) {
			let child = node.children.get(unit);
			if (child === undefined) {
				child = { children: new Map() };
				node.children.set(unit, child);
			}
			node = child;
		}
		node.content = content;
	}
	if (root.children.size === 0) return { next: () => null };
	const beginning = new RegExp(`[${[...root.children.keys()].map(codeUnit).join('')}]`, 'g');

	return {
		next(text, from) {
			beginning.lastIndex = from;
			for (let match = beginning.exec(text); match !== null; match = beginning.exec(text)) {
				const content = longest(root, text, match.index);
				if (content !== undefined) return { at: match.index, content };
			}
			return null;
		},
	};
}

function longest(root: Node, text: string, from: number): string | undefined {
	let found: string | undefined;
	let node = root.children.get(text[from]);
	for (let at = from + 1; node !== undefined; node = node.children.get(text[at++]))
		found = node.content ?? found;
	return found;
}

/** A UTF-16 code unit as a pattern that matches it. */
export function codeUnit(unit: string): string {
	return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
