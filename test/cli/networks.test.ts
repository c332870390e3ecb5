/** `touchmark networks` from requests to table, JSON, GraphML and page. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import graphology from 'graphology';
import { parse } from 'graphology-graphml';
import { beforeAll, describe, expect, test } from 'vitest';
import { simulateFleet, type Truth } from '../../bench/networks-fleet.js';
import { NetworksResult } from '../../src/networks/index.js';
import { randomSource } from '../stats/random.js';
import { newFolder, runCli } from './run-cli.js';

/** Ties are in the GraphML. */
const Printed = NetworksResult.omit({ ties: true });
const folder = newFolder();
const path = (name: string) => join(folder, name);
const hex = (word: number) => word.toString(16).padStart(8, '0');

let truth: readonly Truth[];
let traced: string;

beforeAll(() => {
	const lines: string[] = [];
	truth = simulateFleet(
		{ accounts: 300, networks: [6, 25], innocents: 4, requests: 120 },
		3,
		(account, hour, fingerprints) => {
			const time = new Date(hour * 3_600_000 + 61_000).toISOString();
			const digits = fingerprints.map(({ word, more }) => hex(word) + hex(more));
			lines.push(
				JSON.stringify({ account: `<b>&${account}`, time, fingerprints: digits, note: 'other fields stay' }),
			);
		},
	);
	traced = `<b>&${truth.findIndex(({ group }) => group === 1)}`;
	writeFileSync(path('a.jsonl'), `${lines.slice(0, 5000).join('\n')}\n`);
	writeFileSync(path('b.jsonl'), `${lines.slice(5000).join('\n')}\n`);
	writeFileSync(
		path('trace.json'),
		JSON.stringify({ accounts: [{ account: traced, records: 3 }, { account: 'unknown' }] }),
	);
});

describe('networks', () => {
	test('of two files: JSON, GraphML and a page say the same', async () => {
		const outputs = ['--graphml', path('graph.xml'), '--report', path('report.html')];
		const { code, out, err } = await runCli([
			'networks',
			path('a.jsonl'),
			path('b.jsonl'),
			'--trace',
			path('trace.json'),
			...outputs,
			'--json',
			'--fail-on-detect',
		]);
		expect(err).toBe('');
		expect(code).toBe(3);
		const result = Printed.parse(JSON.parse(out));
		expect(result.networks.length).toBeGreaterThanOrEqual(1);
		expect(result.networks[0].id).toBe(1);
		const rows = result.networks.flatMap(({ accounts }) => accounts);
		expect(rows.find(({ account }) => account === traced)?.datasets).toEqual(['trace.json']);
		for (const { account } of rows) expect(truth[Number(account.slice(4))].kind).toBe('member');
		const graph = parse(graphology.UndirectedGraph, readFileSync(path('graph.xml'), 'utf8'));
		expect(graph.order).toBe(result.candidates.reduce((sum, { accounts }) => sum + accounts.length, 0));
		expect(graph.size).toBeGreaterThan(graph.order);
		expect(graph.getNodeAttribute(rows[0].account, 'network')).toBe(1);
		const page = readFileSync(path('report.html'), 'utf8');
		expect(page).toContain('&lt;b&gt;&amp;');
		expect(page).not.toContain('<b>&');
		expect(page).toContain('<svg class="networks"');
	});
	test('prints a table, and exits with 0', async () => {
		const { code, out } = await runCli(['networks', path('a.jsonl'), path('b.jsonl')]);
		expect(code).toBe(0);
		expect(out).toMatch(/network +account +requests +sessions +shared +log10 p +days +datasets +verdict/);
		expect(out).toMatch(/network 1: \d+ accounts/);
		expect(out).toContain('in-step');
	});
	test.each([
		[
			'no time zone',
			'{"account":"a","time":"2026-11-25T21:00:00","fingerprints":[]}',
			/bad\.jsonl:2: field "time": .*time zone/,
		],
		['no account', '{"time":"2026-11-25T21:00:00Z","fingerprints":[]}', /bad\.jsonl:2: field "account"/],
		[
			'an empty account',
			'{"account":"","time":"2026-11-25T21:00:00Z","fingerprints":[]}',
			/field "account": is empty/,
		],
		[
			'not hexadecimal',
			'{"account":"a","time":"2026-11-25T21:00:00Z","fingerprints":["00","xyz"]}',
			/field "fingerprints\.0": must be 8 to 16/,
		],
		[
			'no fingerprints',
			'{"account":"a","time":"2026-11-25T21:00:00Z"}',
			/bad\.jsonl:2: has no field "fingerprints" and no field "prompt"/,
		],
		[
			'before 1970',
			'{"account":"a","time":"1969-11-25T21:00:00Z","fingerprints":[]}',
			/field "time": must be from 1970 to 2099/,
		],
		[
			'a far future',
			'{"account":"a","time":"9999-11-25T21:00:00Z","fingerprints":[]}',
			/must be from 1970 to 2099/,
		],
		['torn', '{"account":"a","time"', /bad\.jsonl:2: is not valid JSON/],
	])('bad input, %s: exit 2 and one sentence', async (_, line, sentence) => {
		writeFileSync(
			path('bad.jsonl'),
			`{"account":"a","time":"2026-11-25T21:00:00Z","fingerprints":[]}\n${line}\n`,
		);
		const { code, out, err } = await runCli(['networks', path('bad.jsonl')]);
		expect({ code, out }).toEqual({ code: 2, out: '' });
		expect(err).toMatch(sentence);
		expect(err.trimEnd().split('\n')).toHaveLength(1);
	});
	test('prompts in text: the same template with other words in it is shared', async () => {
		const words = 'amber basil cedar daisy elder fern ginger hazel iris juniper'.split(' ');
		const template = (i: number, j: number) =>
			`Write a careful answer in the voice of a patient teacher who explains step by step what one has to know about ${words[i]} and ${words[j]} before the lesson begins, and then ask three short questions that show whether it was understood`;
		const lines: string[] = [];
		const random = randomSource(21);
		const word = () => words[Math.floor(10 * random())];
		for (let day = 1; day <= 28; day++)
			for (let account = 0; account < 40; account++) {
				const hour = account < 5 ? (day * 7) % 24 : Math.floor(24 * random());
				const time = `2026-06-${String(day).padStart(2, '0')}T${String(hour).padStart(2, '0')}:30:00Z`;
				const prompt = account < 5 ? template(account, day % 10) : Array.from({ length: 12 }, word).join(' ');
				lines.push(JSON.stringify({ account: `a${account}`, time, prompt }));
			}
		writeFileSync(path('prompts.jsonl'), lines.join('\n'));
		const { code, out } = await runCli(['networks', path('prompts.jsonl'), '--json']);
		expect(code).toBe(0);
		const { networks } = Printed.parse(JSON.parse(out));
		expect(networks.map(({ accounts }) => accounts.map(({ account }) => account).sort())).toEqual([
			['a0', 'a1', 'a2', 'a3', 'a4'],
		]);
	});
	test('a trace that is none, and one account alone', async () => {
		writeFileSync(path('none.json'), '{"accounts":7}');
		const refused = await runCli(['networks', path('a.jsonl'), '--trace', path('none.json')]);
		expect(refused.code).toBe(2);
		expect(refused.err).toMatch(/none\.json: field "accounts": must be the accounts of a trace/);
		writeFileSync(
			path('one.jsonl'),
			'{"account":"a","time":"2026-11-25T21:00:00+01:00","fingerprints":["0123456789abcdef"]}\n',
		);
		const { code, out } = await runCli(['networks', path('one.jsonl'), '--json']);
		expect(code).toBe(0);
		expect(JSON.parse(out)).toMatchObject({
			networks: [],
			candidates: [],
			accounts: 1,
			requests: 1,
			hypotheses: 0,
		});
	});
});
