/**
 * The body of a request, up to a size.
 *
 * @module
 */
import type { IncomingMessage } from 'node:http';
import { Refusal } from './problems.js';

/**
 * Reads a body as text. What goes beyond the limit is not kept.
 *
 * @throws Refusal `too-large`, `unsupported-media-type`, `bad-request`, or `timeout` when the client went away
 */
export async function readBody(request: IncomingMessage, mostBytes: number): Promise<string> {
	const {
		'content-type': type = '',
		'content-encoding': encoding,
		'content-length': length,
	} = request.headers;
	if (!/^application\/json\s*(;|$)/i.test(type))
		throw new Refusal('unsupported-media-type', 'the body must be application/json');
	if (encoding !== undefined && encoding !== 'identity')
		throw new Refusal('unsupported-media-type', 'the body must not be compressed');
	const tooLarge = () => new Refusal('too-large', `the body has more than ${mostBytes} bytes`);
	if (length !== undefined && Number(length) > mostBytes) throw tooLarge();
	const bytes = await new Promise<Buffer>((resolve, reject) => {
		const chunks: Buffer[] = [];
		let size = 0;
		const onData = (chunk: Buffer) => {
			size += chunk.length;
			if (size > mostBytes) {
				request.off('data', onData);
				reject(tooLarge());
			} else chunks.push(chunk);
		};
		const gone = () => reject(new Refusal('timeout', 'the request did not arrive as a whole'));
		request.on('data', onData);
		request.once('end', () => resolve(Buffer.concat(chunks)));
		request.once('error', gone);
		request.once('close', gone);
	});
	try {
		return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
	} catch {
		throw new Refusal('bad-request', 'the body is not valid UTF-8');
	}
}
