/**
 * A reader of safetensors files that hold F16 and F32 tensors.
 *
 * The format is eight bytes of header length (little-endian), a JSON header, then the tensors' bytes:
 * https://github.com/huggingface/safetensors#format.
 *
 * @module
 */

import { z } from 'zod';
import { badInput } from '../errors.js';

/** A tensor in row-major order; `data` has as many numbers as the product of `shape`. */
export interface Tensor {
	readonly shape: readonly number[];
	readonly data: Float32Array;
}

const count = z.number().int().nonnegative();
const Entry = z.object({ dtype: z.string(), shape: z.array(count), data_offsets: z.tuple([count, count]) });
const Header = z.record(z.string(), z.unknown());

/** Bytes of a number of each type that can be read. */
const WIDTHS = new Map([
	['F16', 2],
	['F32', 4],
]);

/**
 * Reads every tensor of a safetensors file and widens halves to single precision.
 *
 * @param bytes the whole file
 * @param name what to call the file in errors, e.g. its path
 * @returns the tensors by name
 * @throws `bad-input` if the file is cut short, its header is not what the format says, or a tensor is
 *   neither F16 nor F32
 */
export function readSafetensors(bytes: Uint8Array, name: string): Map<string, Tensor> {
	const bad = (what: string, cause?: unknown) =>
		badInput(`${name} is not a usable safetensors file: ${what}.`, cause);
	if (bytes.length < 8) throw bad(`it has ${bytes.length} bytes, fewer than the 8 of the header length`);
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	const headerLength = Number(view.getBigUint64(0, true));
	if (headerLength > bytes.length - 8) {
		throw bad(
			`its header should have ${headerLength} bytes and the file has ${bytes.length - 8} after its length`,
		);
	}
	let parsed: unknown;
	try {
		parsed = JSON.parse(
			new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, 8 + headerLength)),
		);
	} catch (cause) {
		throw bad('its header is not JSON', cause);
	}
	const header = Header.safeParse(parsed);
	if (!header.success) throw bad('its header is not a JSON object');
	const body = bytes.subarray(8 + headerLength);
	const tensors = new Map<string, Tensor>();
	for (const [key, value] of Object.entries(header.data)) {
		if (key === '__metadata__') continue;
		const entry = Entry.safeParse(value);
		if (!entry.success)
			throw bad(`the header's entry for ${key} lacks a proper dtype, shape or data_offsets`);
		const { dtype, shape, data_offsets } = entry.data;
		const [begin, end] = data_offsets;
		const width = WIDTHS.get(dtype);
		if (width === undefined) throw bad(`${key} has type ${dtype}, and only F16 and F32 can be read`);
		if (end > body.length)
			throw bad(`${key} ends at byte ${end} of ${body.length}, so the file is cut short`);
		const length = shape.reduce((product, side) => product * side, 1);
		if (end - begin !== length * width) {
			throw bad(`${key} has ${end - begin} bytes where its shape [${shape}] needs ${length * width}`);
		}
		// A copy, because the tensor may begin at an odd address. Not `slice`: that of a Buffer does not copy.
		const { buffer } = new Uint8Array(body.subarray(begin, end));
		tensors.set(key, {
			shape,
			data: dtype === 'F32' ? new Float32Array(buffer) : widen(new Uint16Array(buffer)),
		});
	}
	return tensors;
}

/** IEEE 754 half precision to single precision; exact. */
function widen(halves: Uint16Array): Float32Array {
	const singles = new Float32Array(halves.length);
	const words = new Uint32Array(singles.buffer);
	for (const [i, half] of halves.entries()) {
		const infinite = (half & 0x7c00) === 0x7c00;
		// The same bits five places up read as a number 2^112 too small, subnormals included.
		words[i] = ((half & 0x8000) << 16) | ((half & 0x7fff) << 13) | (infinite ? 0x7f800000 : 0);
		if (!infinite) singles[i]! *= 2 ** 112;
	}
	return singles;
}
