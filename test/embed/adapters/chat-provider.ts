/** A minimal provider of the Vercel AI SDK for OpenAI-type chat completions, and the embedded teacher to talk to. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type {
	LanguageModelV3,
	LanguageModelV3CallOptions,
	LanguageModelV3StreamPart,
	LanguageModelV3Usage,
	SharedV3Warning,
} from '@ai-sdk/provider';

/** What providers differ in. */
export interface Habits {
	/** Whether `logitBias` reaches the endpoint. */
	readonly sendsBias?: boolean;
	/** Whether results show the request: as an object, as JSON, or not. */
	readonly shows?: 'object' | 'text' | 'nothing';
	readonly warnings?: SharedV3Warning[];
}

/** Starts the server of the examples (from the built package). */
export async function startTeacher(): Promise<{ readonly url: string; readonly process: ChildProcess }> {
	const server = spawn(process.execPath, ['examples/teacher-server.mjs'], {
		stdio: ['ignore', 'pipe', 'inherit'],
	});
	const failed = once(server, 'exit').then(() => {
		throw new Error('the server of the examples ended; is the package built?');
	});
	const [line] = (await Promise.race([once(server.stdout, 'data'), failed])) as [Buffer];
	failed.catch(() => {});
	return { url: line.toString().trim(), process: server };
}

const usageOf = (tokens: number): LanguageModelV3Usage => ({
	inputTokens: { total: undefined, noCache: undefined, cacheRead: undefined, cacheWrite: undefined },
	outputTokens: { total: tokens, text: tokens, reasoning: undefined },
});
const STOP = { unified: 'stop', raw: 'stop' } as const;

interface Answer {
	readonly choices: [{ readonly message: { readonly content: string } }];
	readonly usage: { readonly completion_tokens: number };
}
interface Chunk {
	readonly choices: [{ readonly delta: { readonly content?: string } }];
	readonly usage?: Answer['usage'];
}

/** A model behind the endpoint. */
export function chatModel(url: string, habits: Habits = {}): LanguageModelV3 {
	const { sendsBias = true, shows = 'object', warnings = [] } = habits;
	async function post(options: LanguageModelV3CallOptions, stream: boolean) {
		const body = {
			model: 'teacher',
			messages: options.prompt.map(({ role, content }) => ({ role, content })),
			max_tokens: options.maxOutputTokens,
			seed: options.seed,
			stream,
			...(sendsBias ? { logit_bias: options.providerOptions?.chat?.logitBias } : {}),
		};
		const text = JSON.stringify(body);
		const response = await fetch(`${url}/chat/completions`, {
			method: 'POST',
			body: text,
			...(options.abortSignal === undefined ? {} : { signal: options.abortSignal }),
		});
		if (!response.ok) throw new Error(await response.text());
		const request = { nothing: {}, object: { body: JSON.parse(text) as unknown }, text: { body: text } }[
			shows
		];
		return { response, request };
	}
	return {
		specificationVersion: 'v3',
		provider: 'test.chat',
		modelId: 'teacher',
		supportedUrls: {},
		async doGenerate(options) {
			const { response, request } = await post(options, false);
			const { choices, usage } = (await response.json()) as Answer;
			return {
				content: [
					{ type: 'reasoning', text: 'hidden' },
					{ type: 'text', text: choices[0].message.content },
				],
				finishReason: STOP,
				usage: usageOf(usage.completion_tokens),
				request,
				warnings,
			};
		},
		async doStream(options) {
			const { response, request } = await post(options, true);
			// Node's streams are iterable; the DOM's type does not know it.
			const source = response.body as unknown as AsyncIterable<Uint8Array>;
			async function* parts(): AsyncGenerator<LanguageModelV3StreamPart> {
				yield { type: 'stream-start', warnings };
				yield { type: 'text-start', id: '0' };
				const decoder = new TextDecoder();
				let buffer = '';
				let usage = usageOf(0);
				for await (const bytes of source) {
					buffer += decoder.decode(bytes, { stream: true });
					const lines = buffer.split('\n\n');
					buffer = lines.pop() as string;
					for (const line of lines) {
						if (line === 'data: [DONE]') continue;
						const chunk = JSON.parse(line.slice('data: '.length)) as Chunk;
						if (chunk.usage !== undefined) usage = usageOf(chunk.usage.completion_tokens);
						yield { type: 'text-delta', id: '0', delta: chunk.choices[0].delta.content ?? '' };
					}
				}
				yield { type: 'text-end', id: '0' };
				yield { type: 'finish', finishReason: STOP, usage };
			}
			const iterator = parts();
			const stream = new ReadableStream<LanguageModelV3StreamPart>({
				async pull(controller) {
					const { value, done } = await iterator.next();
					if (done) controller.close();
					else controller.enqueue(value);
				},
				async cancel() {
					await iterator.return(undefined);
				},
			});
			return { stream, request };
		},
	};
}
