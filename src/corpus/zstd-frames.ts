/**
 * Follows the frames of Zstandard data (RFC 8878) without decoding them: where it ends, and how much memory a decoder
 * would be asked for.
 *
 * @module
 */

/** Largest window that is decoded: what the reference decoder allows unless told otherwise, 128 MiB. */
export const MAX_WINDOW = 2 ** 27;

const MAGIC = 0xfd2fb528;
const SKIPPABLE = 0x184d2a50;

/** Watches Zstandard data go by. */
export interface FrameWatch {
	/** The next bytes. @throws Error with a reason that follows "is not valid Zstandard data: " */
	push(bytes: Uint8Array): void;
	/** Whether all frames that began have ended. */
	readonly ended: boolean;
}

/** A watch at the beginning of data. */
export function watchFrames(): FrameWatch {
	let need = 4;
	let head: number[] = [];
	let skip = 0;
	let step: 'magic' | 'skippable' | 'descriptor' | 'header' | 'block' = 'magic';
	let checksum = 0;

	/** Takes the `need` bytes of `head`; sets what is needed next. */
	const take = (): void => {
		if (step === 'magic') {
			const magic = little(head, 0, 4);
			if (magic === MAGIC) [step, need] = ['descriptor', 1];
			else if (magic - (magic % 16) === SKIPPABLE) [step, need] = ['skippable', 4];
			else throw new Error('a frame does not begin as one');
		} else if (step === 'skippable') {
			skip = little(head, 0, 4);
			[step, need] = ['magic', 4];
		} else if (step === 'descriptor') {
			const [flags] = head;
			const single = (flags >> 5) & 1;
			const sizeBytes = flags >> 6 === 0 ? single : 1 << (flags >> 6);
			checksum = (flags & 4) === 0 ? 0 : 4;
			step = 'header';
			need = 1 + (1 - single) + [0, 1, 2, 4][flags & 3] + sizeBytes;
			return;
		} else if (step === 'header') {
			const window = windowOf(head);
			if (window > MAX_WINDOW)
				throw new Error(`it needs a window of ${window} bytes, more than ${MAX_WINDOW}`);
			[step, need] = ['block', 3];
		} else {
			const header = little(head, 0, 3);
			const last = (header & 1) === 1;
			skip = ((header >> 1) & 3) === 1 ? 1 : header >> 3;
			if (last) {
				skip += checksum;
				[step, need] = ['magic', 4];
			}
		}
		head = [];
	};
	return {
		push(bytes) {
			for (let i = 0; i < bytes.length; ) {
				const passed = Math.min(skip, bytes.length - i);
				skip -= passed;
				i += passed;
				while (i < bytes.length && skip === 0 && head.length < need) {
					head.push(bytes[i++]);
					if (head.length === need) take();
				}
			}
		},
		get ended() {
			return skip === 0 && step === 'magic' && head.length === 0;
		},
	};
}

/** Window of a frame, bytes, from its header without the magic number. */
function windowOf(header: readonly number[]): number {
	const [flags] = header;
	if (((flags >> 5) & 1) === 0) {
		const base = 2 ** (10 + (header[1] >> 3));
		return base + (base / 8) * (header[1] & 7);
	}
	const at = 1 + [0, 1, 2, 4][flags & 3];
	const bytes = header.length - at;
	return little(header, at, bytes) + (bytes === 2 ? 256 : 0);
}

function little(bytes: readonly number[], at: number, count: number): number {
	let value = 0;
	for (let i = count - 1; i >= 0; i--) value = 256 * value + bytes[at + i];
	return value;
}
