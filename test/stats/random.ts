/**
 * A seeded source of uniforms in [0, 1), for simulations that must not change from run to run.
 *
 * @see mulberry32, T. Ettinger 2017 (public domain)
 */
export function randomSource(seed: number): () => number {
	let state = seed;
	return () => {
		state = (state + 0x6d2b79f5) | 0;
		let t = Math.imul(state ^ (state >>> 15), 1 | state);
		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
		return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
	};
}
