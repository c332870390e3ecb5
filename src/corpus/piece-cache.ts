/**
 * Remembers the ids of the pieces that a tokenizer cuts text into, within fixed memory.
 *
 * Natural text repeats its pieces (words, mostly), so that nearly all of them are found here. Two generations bound
 * the memory whatever the text: when the young one is full it becomes the old one, and the old one is forgotten.
 *
 * @module
 */

/** Ids of one piece: most have one, and a number takes less room than an array that holds it. */
type Ids = number | readonly number[];

/** Pieces in a generation: a scan of books in one language fills about one. */
const GENERATION = 65_536;
/** Longer pieces are rarely seen twice. In UTF-16 code units. */
const LONGEST = 64;
/** V8 copies substrings shorter than this; a longer one keeps the whole text that it was cut from alive. */
const COPIED = 13;

/** Ids of pieces, each computed once while it is remembered. */
export class PieceCache {
	readonly #compute: (piece: string) => readonly number[];
	readonly #generation: number;
	#young = new Map<string, Ids>();
	#old = new Map<string, Ids>();

	/**
	 * @param compute ids of a piece; must depend on nothing but the piece
	 * @param generation pieces in each of the two generations
	 */
	constructor(compute: (piece: string) => readonly number[], generation: number = GENERATION) {
		this.#compute = compute;
		this.#generation = generation;
	}

	/** Ids of a piece: a number when there is exactly one. */
	get(piece: string): Ids {
		const young = this.#young.get(piece);
		if (young !== undefined) return young;
		const key = piece.length < COPIED ? piece : JSON.parse(JSON.stringify(piece));
		if (piece.length > LONGEST) return this.#compute(key);
		const ids = this.#old.get(key) ?? single(this.#compute(key));
		if (this.#young.size >= this.#generation) {
			this.#old = this.#young;
			this.#young = new Map();
		}
		this.#young.set(key, ids);
		return ids;
	}

	/** Pieces remembered at the moment. */
	get size(): number {
		return this.#young.size + this.#old.size;
	}
}

function single(ids: readonly number[]): Ids {
	return ids.length === 1 ? ids[0] : ids;
}
