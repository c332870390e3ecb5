/**
 * The style of the report page: light, dark, phone and paper.
 *
 * @module
 */

/** CSS of the whole page. */
export const PAGE_STYLE = `
:root { color-scheme: light dark; --page: #fcfbf9; --ink: #1f2328; --dim: #5a6169; --line: #d8d4cc; --panel: #f4f1ec;
	--bar: #8593a1; --theory: #5a6169; --accent: #0b5c8a; --on-accent: #fff;
	--shade-1: #fdefcf; --shade-2: #fad991; --shade-3: #f4b34a; --shade-4: #e28a24; }
@media screen and (prefers-color-scheme: dark) { :root { --page: #16181b; --ink: #e8e6e1; --dim: #a2a9b1; --line: #3a3e44;
	--panel: #1f2226; --bar: #697683; --theory: #a2a9b1; --accent: #7cc4ee; --on-accent: #10222e;
	--shade-1: #3b3015; --shade-2: #564413; --shade-3: #755410; --shade-4: #8a560a; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.55 system-ui, -apple-system, 'Segoe UI', sans-serif;
	overflow-wrap: break-word; }
header, main, footer { max-width: 68rem; margin: 0 auto; padding: 0 1rem; }
header { padding-top: 2rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .25rem; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 .5rem; padding-top: .75rem; border-top: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.25rem 0 .25rem; }
p, main > section > ul { max-width: 46rem; }
p { margin: .5rem 0; }
.meta, footer { color: var(--dim); font-size: .875rem; }
footer { padding-top: 2rem; padding-bottom: 2rem; }
.lead { font-size: 1.125rem; line-height: 1.5; }
.limits { padding-left: 1.1rem; margin: .75rem 0; }
.limits li { margin: .25rem 0; }
table { border-collapse: collapse; width: 100%; font-size: .9375rem; }
caption { text-align: left; color: var(--dim); font-size: .875rem; padding-bottom: .5rem; }
th, td { text-align: left; vertical-align: top; padding: .5rem .75rem .5rem 0; border-bottom: 1px solid var(--line); }
thead th { font-size: .8125rem; line-height: 1.3; color: var(--dim); font-weight: 600; vertical-align: bottom; }
tbody th { font-weight: 600; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; padding-right: 1.5rem; }
.results tbody th { min-width: 9rem; overflow-wrap: anywhere; }
.results td:nth-child(2) { white-space: nowrap; }
.results td:last-child { min-width: 14rem; overflow-wrap: anywhere; }
.aside { display: block; color: var(--dim); font-size: .8125rem; }
.verdict { display: inline-block; border: 1px solid var(--dim); border-radius: .25rem; padding: 0 .45rem; font-size: .875rem; }
.verdict.found { background: var(--accent); border-color: var(--accent); color: var(--on-accent); font-weight: 600; }
.verdict.unsure { border-style: dashed; }
figure { margin: 0; }
figcaption { font-size: .875rem; color: var(--dim); }
figcaption strong { color: var(--ink); }
.panels { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 20rem), 1fr)); gap: 1.5rem 1.25rem; margin-top: 1rem; }
.panels figure { min-width: 0; overflow-wrap: anywhere; display: flex; flex-direction: column; justify-content: space-between; }
.panels figcaption strong { display: block; font-size: .9375rem; }
.histogram { display: block; width: 100%; max-width: 26rem; height: auto; margin-top: .25rem; }
.histogram text { font-size: 11px; fill: var(--dim); stroke: var(--page); stroke-width: 3px; paint-order: stroke; }
.histogram path { fill: none; }
.bar { fill: var(--bar); }
.bar.planted { fill: var(--accent); }
.grid { stroke: var(--line); stroke-width: .75; }
.axis { stroke: var(--dim); }
.theory { stroke: var(--theory); stroke-dasharray: 2 2; }
.level { stroke: var(--dim); stroke-dasharray: 5 3; }
.truth { stroke: var(--accent); stroke-width: 2.5; }
.histogram .truth-label { fill: var(--accent); font-weight: 700; font-size: 12px; }
.networks { display: block; width: 100%; height: auto; margin-top: .5rem; }
.networks text { font-size: 12px; fill: var(--dim); }
.networks .name { fill: var(--ink); font-weight: 600; }
.group { fill: var(--panel); stroke: var(--line); }
.group.found { stroke: var(--accent); }
.dot { fill: var(--bar); }
.dot-step { fill: var(--accent); }
.tie { fill: none; stroke: var(--line); stroke-width: .75; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: .35rem .75rem; padding: 0; margin: .75rem 0; font-size: .875rem; }
.swatch { padding: .1rem .45rem; border: 1px solid var(--line); border-radius: .2rem; white-space: nowrap; }
.passage { max-width: none; line-height: 2.05; white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: isolate;
	background: var(--panel); padding: .75rem 1rem; border-radius: .375rem; font-size: 1.0625rem; }
.pair { margin: 1rem 0; }
.pair dt { font-size: .875rem; color: var(--dim); margin-top: .5rem; }
.pair dd { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: isolate; background: var(--panel); padding: .5rem .75rem;
	border-radius: .375rem; }
.shade-1 { background: var(--shade-1); } .shade-2 { background: var(--shade-2); }
.shade-3 { background: var(--shade-3); } .shade-4 { background: var(--shade-4); }
.passage span { padding: .15em 0; -webkit-box-decoration-break: clone; box-decoration-break: clone; }
.green { text-decoration: underline 2px; text-underline-offset: .28em; text-decoration-skip-ink: none; }
.no-list { text-decoration: underline dotted 2px; text-underline-offset: .28em; }
.unscored { color: var(--dim); }
.passage .shade-1, .passage .shade-2, .passage .shade-3, .passage .shade-4, .swatch, pre, .verdict, .bar {
	-webkit-print-color-adjust: exact; print-color-adjust: exact; }
details { margin: .75rem 0; }
summary { cursor: pointer; }
summary:focus-visible { outline: 2px solid var(--accent); outline-offset: 3px; }
.tokens { max-width: 40rem; margin-top: .5rem; font-variant-numeric: tabular-nums; }
.tokens th, .tokens td { padding-top: .15rem; padding-bottom: .15rem; overflow-wrap: anywhere; }
pre { background: var(--panel); padding: .75rem 1rem; border-radius: .375rem; white-space: pre-wrap; overflow-wrap: anywhere;
	font: .875rem/1.5 ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; }
@media screen and (min-width: 60rem) { .verdict.found, .verdict.none { white-space: nowrap; } }
@media screen and (max-width: 52rem) {
	.results, .results tbody, .results tr, .results th, .results td, .results caption { display: block; }
	.results thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
	.results tr { border: 1px solid var(--line); border-radius: .375rem; padding: .5rem .75rem; margin-bottom: .75rem; }
	.results th, .results td { border: 0; padding: .15rem 0; }
	.results td, .results td:nth-child(2), .results td:last-child { display: grid; grid-template-columns: 8.5rem minmax(0, 1fr); gap: .75rem; min-width: 0; text-align: left; white-space: normal; }
	.results td::before { content: attr(data-label) / ''; color: var(--dim); font-size: .875rem; }
	.results .verdict { justify-self: start; }
}
@media print {
	body { font-size: 10.5pt; background: none; }
	header { padding-top: 0; }
	tr, .panels figure, .pair, .legend { break-inside: avoid; }
	h2, h3 { break-after: avoid; }
	.results { font-size: 9pt; }
	.results tbody th { min-width: 0; }
	.results td:last-child { min-width: 8rem; }
	.number { padding-right: .75rem; }
	thead .number, .results td:nth-child(2) { white-space: normal; }
	.panels { grid-template-columns: repeat(2, minmax(0, 1fr)); }
}
`;
