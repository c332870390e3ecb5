/**
 * Metrics for Prometheus. They say how much was asked and how fast it was answered, never what was answered.
 *
 * @module
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { ProblemCode } from './problems.js';

/** Seconds. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** What is measured. */
export interface Metrics {
	/** A request was answered. */
	answered(route: string, status: number, seconds: number): void;
	/** A request was refused. */
	refused(code: ProblemCode): void;
	/** A detection took so long in its thread. */
	detected(seconds: number, tokens: number): void;
	/** A connection was closed at once, since there were too many. */
	dropped(): void;
	/** The text format. */
	text(): Promise<string>;
	readonly contentType: string;
}

/** @param now what is read at each request of the metrics */
export function newMetrics(now: { connections(): number; waiting(): number }): Metrics {
	const registry = new Registry();
	const registers = [registry];
	collectDefaultMetrics({ register: registry });
	const requests = new Counter({
		name: 'touchmark_http_requests_total',
		help: 'Requests answered',
		labelNames: ['route', 'status'],
		registers,
	});
	const seconds = new Histogram({
		name: 'touchmark_http_request_seconds',
		help: 'Time from headers to answer',
		labelNames: ['route'],
		buckets: BUCKETS,
		registers,
	});
	const refusals = new Counter({
		name: 'touchmark_refusals_total',
		help: 'Requests refused',
		labelNames: ['code'],
		registers,
	});
	const detections = new Histogram({
		name: 'touchmark_detection_seconds',
		help: 'Time of a detection in its thread',
		buckets: BUCKETS,
		registers,
	});
	const tokens = new Counter({ name: 'touchmark_tokens_total', help: 'Tokens of tested texts', registers });
	const drops = new Counter({
		name: 'touchmark_connections_dropped_total',
		help: 'Connections closed at once, since there were too many',
		registers,
	});
	new Gauge({
		name: 'touchmark_connections',
		help: 'Open connections',
		registers,
		collect() {
			this.set(now.connections());
		},
	});
	new Gauge({
		name: 'touchmark_detections_waiting',
		help: 'Detections that wait or are being worked on',
		registers,
		collect() {
			this.set(now.waiting());
		},
	});
	return {
		answered(route, status, took) {
			requests.inc({ route, status });
			seconds.observe({ route }, took);
		},
		refused: (code) => refusals.inc({ code }),
		detected(took, count) {
			detections.observe(took);
			tokens.inc(count);
		},
		dropped: () => drops.inc(),
		text: () => registry.metrics(),
		contentType: registry.contentType,
	};
}
