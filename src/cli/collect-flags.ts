/**
 * What to collect, from flags: questions, requests, the endpoint, the budget.
 *
 * @module
 */
import { z } from 'zod';
import { type Budget, type Collection, mostOutput } from '../collect/collect.js';
import { askGiven, askNextTokens, askPrompts, type Inquiry } from '../collect/inquiry.js';
import { readGiven, readPrefixes, readPrompts } from '../collect/inquiry-files.js';
import { digestOf, type Plan } from '../collect/plan.js';
import { PROTOCOLS, type ProtocolName } from '../collect/protocols.js';
import type { Endpoint } from '../collect/send.js';
import { askTokenByToken } from '../collect/token-by-token.js';
import { badInput } from '../errors.js';
import { checked, parseJson } from '../input.js';
import type { UntilFlags } from './collect-until.js';
import { type Edge, warn } from './edge.js';
import { informativePrefixes } from './informative-prefixes.js';
import { tokenizerFor } from './marks.js';

/** Flags of `touchmark collect`. */
export interface CollectFlags extends UntilFlags {
	readonly endpoint: string;
	readonly protocol: ProtocolName;
	readonly model: string;
	readonly out: string;
	readonly prompts?: string;
	readonly given?: string;
	readonly givenBy: 'echo' | 'prefixes';
	readonly prefixes?: string;
	readonly probe?: string[];
	readonly contextWidth: number;
	readonly samples: number;
	readonly seed?: number;
	readonly maxTokens: number;
	readonly temperature?: number;
	readonly topLogprobs?: number;
	readonly stream?: boolean;
	readonly parameters?: string;
	readonly concurrency: number;
	readonly requestsPerMinute?: number;
	readonly attempts: number;
	readonly backOff: number;
	readonly timeout: number;
	readonly maxRequests?: number;
	readonly maxCost?: number;
	readonly priceIn?: number;
	readonly priceOut?: number;
	readonly apiKeyEnv?: string;
	readonly failOnDetect?: boolean;
}

/** What the flags say: what to ask, and how. The journal's place is left to the command. */
export async function collectionFromFlags(
	edge: Edge,
	flags: CollectFlags,
): Promise<{ inquiry: Inquiry; collection: Omit<Collection, 'journal'> }> {
	const endpoint = endpointFromFlags(edge, flags);
	const inquiry = await inquiryFromFlags(flags);
	const { kind, questions, unasked, tokenizer } = inquiry;
	if (unasked.length > 0)
		warn(
			edge,
			flags,
			`${unasked.length} questions cannot be asked, the first is "${unasked[0].id}": ${unasked[0].reason}`,
		);
	if (questions.length === 0) throw badInput('nothing of what is named can be asked');
	const plan: Plan = {
		kind,
		protocol: flags.protocol,
		endpoint: endpoint.url,
		parameters: parametersFromFlags(flags, kind),
		questions: digestOf(questions),
		tokenizer,
	};
	const { concurrency, attempts, backOff, requestsPerMinute } = flags;
	const pace = {
		...{ concurrency, attempts, backOff: 1000 * backOff },
		...(requestsPerMinute === undefined ? {} : { requestsPerMinute }),
	};
	const budget = budgetFromFlags(flags, plan);
	return { inquiry, collection: { endpoint, plan, questions, pace, budget } };
}

/** Tokens that an endpoint is asked to list as next. */
const TOP = 20;

/** Questions from the one flag that names them. */
async function inquiryFromFlags(flags: CollectFlags): Promise<Inquiry> {
	const { prompts, given, givenBy, prefixes, probe, samples, seed, protocol } = flags;
	if ([prompts, given, prefixes, probe].filter((flag) => flag !== undefined).length !== 1)
		throw badInput(
			'say what to ask for: give one of --prompts FILE, --given FILE, --prefixes FILE, --probe FILE',
		);
	if (givenBy === 'prefixes' && given === undefined)
		throw badInput('--given-by: has a meaning with --given only');
	if (prompts !== undefined) {
		if (seed !== undefined && protocol === 'messages')
			throw badInput('--seed: --protocol messages has no seed');
		return askPrompts(await readPrompts(prompts), samples, seed);
	}
	if (samples > 1 || seed !== undefined)
		throw badInput('--samples, --seed: have a meaning with --prompts only');
	if (protocol !== 'completions')
		throw badInput('--given, --prefixes, --probe: only --protocol completions takes text as it is');
	if (given !== undefined && givenBy === 'echo') return askGiven(await readGiven(given));
	// The shipped models' is no suspect's.
	if (given !== undefined && flags.tokenizer === undefined)
		throw badInput("--given-by prefixes: needs --tokenizer, the suspect's own or one near it");
	const tokenizer = await tokenizerFor([], flags);
	if (given !== undefined) return askTokenByToken(await readGiven(given), tokenizer);
	if (prefixes !== undefined)
		return askNextTokens(await readPrefixes(prefixes, tokenizer.vocabSize), tokenizer);
	const [model] = flags.reference ?? [];
	if (model === undefined || flags.traffic === undefined)
		throw badInput('--probe: needs --reference, the unmarked teacher first, and --traffic');
	const choice = { probes: probe ?? [], model, traffic: flags.traffic, contextWidth: flags.contextWidth };
	return askNextTokens(
		await informativePrefixes({ ...choice, shown: flags.topLogprobs ?? TOP }, tokenizer),
		tokenizer,
	);
}

/** Fields that the command itself sets, or that would bill more than is reserved. */
const RESERVED = ['model', 'messages', 'prompt', 'stream', 'seed', 'n', 'best_of'];

/** The request without the question. */
function parametersFromFlags(flags: CollectFlags, kind: Plan['kind']): Plan['parameters'] {
	const { model, givenBy, topLogprobs, stream = false } = flags;
	const tokenByToken = givenBy === 'prefixes';
	// What is drawn is not looked at, but some endpoints list nothing where it ends the answer.
	const temperature = flags.temperature ?? (tokenByToken ? 0 : undefined);
	const common = PROTOCOLS[flags.protocol].parameters({
		...{ model, stream },
		maxTokens: kind === 'answers' ? flags.maxTokens : 1,
		topLogProbs: topLogprobs ?? (kind === 'readings' || tokenByToken ? TOP : 0),
		echo: kind === 'given' && !tokenByToken,
		...(temperature === undefined ? {} : { temperature }),
	});
	const given = flags.parameters ?? '{}';
	const where = '--parameters';
	const further = checked(z.record(z.string(), z.unknown()), parseJson(given, where), where);
	const odd = RESERVED.find((field) => field in further);
	if (odd !== undefined) throw badInput(`${where}: field "${odd}" cannot be given here`);
	return Object.fromEntries(Object.entries({ ...common, ...further }).filter(([, value]) => value !== null));
}

/** Where requests go. Secrets in the address would be written into the statement. */
function endpointFromFlags(edge: Edge, flags: CollectFlags): Endpoint {
	const url = URL.canParse(flags.endpoint) ? new URL(flags.endpoint) : undefined;
	if (url === undefined || !/^https?:$/.test(url.protocol))
		throw badInput('--endpoint: must be an address such as https://api.openai.com/v1');
	if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
		throw badInput(
			'--endpoint: must hold no user name, password or query; the key comes from the environment (--api-key-env)',
		);
	const protocol = PROTOCOLS[flags.protocol];
	const local = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
	const { host, keyVariable } = protocol.vendor;
	const variable = flags.apiKeyEnv ?? (local || url.hostname === host ? keyVariable : undefined);
	const key = variable === undefined ? undefined : edge.env[variable]?.trim();
	if (!key && flags.apiKeyEnv !== undefined)
		throw badInput(`--api-key-env: the environment variable ${flags.apiKeyEnv} is not set`);
	if (key && !/^[\x21-\x7e]+$/.test(key))
		throw badInput(`the API key in ${variable} has characters that no key has`);
	if (key && url.protocol === 'http:' && !local)
		warn(edge, flags, 'the API key goes over the network in clear: the endpoint is not https');
	return {
		protocol,
		url: `${url.origin}${url.pathname.replace(/\/+$/, '')}`,
		...(key ? { key } : {}),
		timeout: 1000 * flags.timeout,
	};
}

function budgetFromFlags({ maxRequests, maxCost, priceIn, priceOut }: CollectFlags, plan: Plan): Budget {
	const requests = maxRequests === undefined ? {} : { requests: maxRequests };
	if (maxCost === undefined) {
		if (priceIn !== undefined || priceOut !== undefined)
			throw badInput('--price-in, --price-out: have a meaning with --max-cost only');
		return requests;
	}
	if (priceIn === undefined || priceOut === undefined)
		throw badInput('--max-cost: needs --price-in and --price-out');
	if (mostOutput(plan.parameters) === null)
		throw badInput('--max-cost: needs a bound on each answer; --parameters has taken it away');
	return { ...requests, money: { limit: maxCost, prices: { input: priceIn, output: priceOut } } };
}
