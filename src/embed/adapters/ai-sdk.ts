/**
 * Middleware for the Vercel AI SDK (`wrapLanguageModel`, version 6): a receipt for every answer and, where the
 * endpoint takes `logit_bias`, a static bias towards the green list of a `unigram` mark.
 *
 * The SDK shows no logits, so no other mark can act here. Calls that ask for JSON or offer tools go out without the
 * bias. The receipt tells what happened, not what was asked: it says `static-bias` only when the provider neither
 * warned about the bias nor shows a request without it (as its Responses API and reasoning models do).
 *
 * @example
 * import { createOpenAI } from '@ai-sdk/openai';
 * const model = wrapLanguageModel({
 *   model: createOpenAI().chat('gpt-4.1-mini'),
 *   middleware: aiSdkMiddleware({
 *     provider: 'openai',
 *     mark: mark.id,
 *     bias: staticBias(greenIdsByFrequency, 3),
 *     onReceipt: (receipt) => store(receipt),
 *   }),
 * });
 * const { text } = await generateText({ model, prompt: 'Once upon a time' });
 *
 * @module
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, concatBytes, randomBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { z } from 'zod';
import { badInput } from '../../errors.js';
import { checked } from '../../input.js';

/** What an answer leaves behind when only its text is seen. */
export const TextReceipt = z.strictObject({
	version: z.literal(1),
	id: z.string().min(1).max(256),
	status: z.enum(['finished', 'aborted']),
	/** Provider and model as the SDK names them. */
	provider: z.string(),
	model: z.string(),
	/** `static-bias`: the endpoint was given the bias. `unmarked`: it was not, and `reason` says why. */
	marking: z.enum(['static-bias', 'unmarked']),
	reason: z.enum(['no-bias', 'structured-output', 'tools', 'not-sent', 'provider-warning']).nullable(),
	/** Whether the provider showed the request that it sent, and the bias was in it. */
	confirmed: z.boolean(),
	/** Id of the mark; null when unmarked. */
	mark: z.string().nullable(),
	/** Tokens with a bias. */
	biased: z.int().min(0),
	/** Output tokens as the endpoint counted them, hidden reasoning included; null when it did not say. */
	tokens: z.int().min(0).nullable(),
	/** 16 random bytes, hexadecimal. */
	salt: z.string(),
	/** SHA-256 of salt and the answer's text (UTF-8), hexadecimal. */
	textHash: z.string(),
	time: z.iso.datetime(),
});
export type TextReceipt = z.infer<typeof TextReceipt>;

/** The part of the SDK's call options that is used. */
export interface AiSdkParams {
	readonly responseFormat?: { readonly type: string };
	readonly tools?: readonly unknown[];
	readonly providerOptions?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** The part of a result that is used: of a whole answer, and of the start of a stream. */
interface Seen {
	readonly request?: { readonly body?: unknown };
	readonly warnings?: readonly object[];
}
/** The part of a whole answer that is used. */
export interface AiSdkAnswer extends Seen {
	readonly content: readonly { readonly type: string }[];
	readonly usage: { readonly outputTokens: { readonly total: number | undefined } };
}
/** The part of a stream that is used. */
export interface AiSdkStream {
	readonly stream: ReadableStream<{ readonly type: string }>;
	readonly request?: { readonly body?: unknown };
}
interface Call {
	readonly params: AiSdkParams;
	readonly model: { readonly provider: string; readonly modelId: string };
}

/** A middleware in the sense of the SDK's `LanguageModelV3Middleware`. */
export interface AiSdkMiddleware {
	readonly specificationVersion: 'v3';
	transformParams<P extends AiSdkParams>(call: { readonly params: P }): Promise<P>;
	wrapGenerate<R extends AiSdkAnswer>(call: Call & { doGenerate(): PromiseLike<R> }): Promise<R>;
	wrapStream<R extends AiSdkStream>(call: Call & { doStream(): PromiseLike<R> }): Promise<R>;
}

/** How to mark, and where receipts go. */
export interface AiSdkOptions {
	/** Key of the provider in `providerOptions`. */
	readonly provider: string;
	/** Id of the mark whose green list the bias favours; needed with a bias. */
	readonly mark?: string;
	/** Bias in nats by token id; absent: nothing is marked. `staticBias` makes one. */
	readonly bias?: Readonly<Record<number, number>>;
	/** The provider's name for it. Default `logitBias`; providers that pass options on unchanged: `logit_bias`. */
	readonly option?: string;
	readonly onReceipt: (receipt: TextReceipt) => void;
}

/** Ids that an OpenAI-type endpoint takes; a larger request is refused by some. */
export const BIAS_LIMIT = 300;
const Bias = z
	.record(
		z.string().regex(/^(0|[1-9]\d{0,9})$/, 'must be a token id'),
		z.number().min(-100, 'must be at least -100').max(100, 'must be at most 100'),
	)
	.refine((bias) => Object.keys(bias).length > 0, 'must hold a token id');

/**
 * The bias that favours green tokens.
 *
 * @param green green ids, the most frequent first: where an endpoint takes fewer than there are, the rest is left out
 * @param delta bias in nats, at most 100
 * @param limit ids that the endpoint takes
 */
export function staticBias(
	green: Iterable<number>,
	delta: number,
	limit = BIAS_LIMIT,
): Record<number, number> {
	const bias: Record<string, number> = {};
	let count = 0;
	for (const id of green) {
		if (count++ >= limit) break;
		bias[id] = delta;
	}
	return checked(Bias, bias, 'static bias');
}

/** How an answer was treated. */
type Treatment = Pick<TextReceipt, 'marking' | 'reason' | 'confirmed'>;

/**
 * Makes the middleware.
 *
 * @throws TouchmarkError `bad-input` for a bias that no endpoint takes, or one without its mark
 */
export function aiSdkMiddleware(options: AiSdkOptions): AiSdkMiddleware {
	const { provider, mark, option = 'logitBias', onReceipt } = options;
	const bias: Record<string, number> =
		options.bias === undefined ? {} : checked(Bias, options.bias, 'static bias');
	const biased = Object.keys(bias).length;
	if (biased > 0 && mark === undefined) throw badInput('a static bias needs the id of its mark');

	function whyNot({ responseFormat, tools }: AiSdkParams): TextReceipt['reason'] {
		if (biased === 0) return 'no-bias';
		if (responseFormat?.type === 'json') return 'structured-output';
		if (tools !== undefined && tools.length > 0) return 'tools';
		return null;
	}

	function treatment(params: AiSdkParams, { request, warnings = [] }: Seen): Treatment {
		const unmarked = (reason: TextReceipt['reason']): Treatment => ({
			marking: 'unmarked',
			reason,
			confirmed: false,
		});
		const reason = whyNot(params);
		if (reason !== null) return unmarked(reason);
		if (warnings.some((warning) => /logit_?bias/i.test(JSON.stringify(warning))))
			return unmarked('provider-warning');
		const asked = params.providerOptions?.[provider]?.[option];
		if (!holds(asked, bias)) return unmarked('not-sent');
		const body = typeof request?.body === 'string' ? parsed(request.body) : request?.body;
		if (body === undefined || body === null)
			return { marking: 'static-bias', reason: null, confirmed: false };
		if (!holds((body as Record<string, unknown>).logit_bias, bias)) return unmarked('not-sent');
		return { marking: 'static-bias', reason: null, confirmed: true };
	}

	function emit(
		{ model }: Call,
		status: TextReceipt['status'],
		treated: Treatment,
		text: string,
		tokens: number | undefined,
	): void {
		const salt = randomBytes(16);
		const marked = treated.marking === 'static-bias';
		onReceipt({
			version: 1,
			id: bytesToHex(randomBytes(16)),
			status,
			provider: model.provider,
			model: model.modelId,
			...treated,
			mark: marked ? (mark as string) : null,
			biased: marked ? biased : 0,
			tokens: tokens ?? null,
			salt: bytesToHex(salt),
			textHash: bytesToHex(sha256(concatBytes(salt, utf8ToBytes(text)))),
			time: new Date().toISOString(),
		});
	}

	return {
		specificationVersion: 'v3',
		async transformParams({ params }) {
			if (whyNot(params) !== null) return params;
			const own = params.providerOptions?.[provider];
			// The mark is whole or not there: where the caller has a bias of his own for an id, ours wins.
			const merged = { ...(own?.[option] as object | undefined), ...bias };
			return {
				...params,
				providerOptions: { ...params.providerOptions, [provider]: { ...own, [option]: merged } },
			};
		},
		async wrapGenerate(call) {
			const answer = await call.doGenerate();
			const text = answer.content.map(textOf).join('');
			emit(call, 'finished', treatment(call.params, answer), text, answer.usage.outputTokens.total);
			return answer;
		},
		async wrapStream(call) {
			const answer = await call.doStream();
			const reader = answer.stream.getReader();
			let text = '';
			let warnings: readonly object[] = [];
			let tokens: number | undefined;
			let done = false;
			const end = (status: TextReceipt['status']): void => {
				if (done) return;
				done = true;
				const seen = answer.request === undefined ? { warnings } : { request: answer.request, warnings };
				emit(call, status, treatment(call.params, seen), text, tokens);
			};
			const stream = new ReadableStream<{ readonly type: string }>({
				async pull(controller) {
					try {
						const { value, done: over } = await reader.read();
						if (over) {
							// A stream that never said that it finished was cut off.
							end('aborted');
							controller.close();
							return;
						}
						const part: StreamPart = value;
						if (part.type === 'stream-start') warnings = part.warnings ?? [];
						if (part.type === 'text-delta') text += part.delta ?? '';
						if (part.type === 'finish') {
							tokens = part.usage?.outputTokens.total;
							end(part.finishReason?.unified === 'error' ? 'aborted' : 'finished');
						}
						controller.enqueue(value);
					} catch (error) {
						end('aborted');
						controller.error(error);
					}
				},
				async cancel(reason) {
					end('aborted');
					await reader.cancel(reason);
				},
			});
			return { ...answer, stream };
		},
	};
}

/** What the parts that are used bring. */
interface StreamPart {
	readonly type: string;
	readonly warnings?: readonly object[];
	readonly delta?: string;
	readonly usage?: AiSdkAnswer['usage'];
	readonly finishReason?: { readonly unified: string };
}

function textOf(part: { readonly type: string; readonly text?: unknown }): string {
	return part.type === 'text' && typeof part.text === 'string' ? part.text : '';
}

function holds(found: unknown, bias: Readonly<Record<string, number>>): boolean {
	if (typeof found !== 'object' || found === null) return false;
	const values = found as Readonly<Record<string, unknown>>;
	return Object.entries(bias).every(([id, value]) => values[id] === value);
}

function parsed(body: string): unknown {
	try {
		return JSON.parse(body);
	} catch {
		return undefined;
	}
}
