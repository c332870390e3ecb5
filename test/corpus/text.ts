import fc from 'fast-check';

const FRAGMENTS = [
	...[
		'a',
		'ab',
		'B',
		' ',
		'  ',
		'\n',
		'\n\n',
		'\r\n',
		'\t',
		"'s",
		"'T",
		'1',
		'123',
		'4567',
		'.',
		'//',
		'_',
		'▁',
		'> a',
	],
	...['\uFEFF', '\u0085', '\u00A0', '\u200B', '\u2028', '\u3000', '\0', '\uFFFD', '\uD800', '\uDC00', '😀'],
	...[
		'é',
		'e\u0301',
		'ß',
		'ﬁ',
		'ſ',
		'K',
		'１',
		'²',
		'中',
		'中文',
		'一二三',
		'عربي',
		'한국',
		'ᄀ',
		'Ä',
		'x'.repeat(70),
	],
	...[
		'<|end|>',
		'<|en',
		'<|',
		'<tool>',
		'＜tool＞',
		'＜|end|＞',
		'<unk>',
		'[MASK]',
		'<|endoftext|>',
		'endoftext',
		'x'.repeat(9),
		' '.repeat(80),
	],
];

/** Short texts in which whatever trips tokenizers is common. */
export const awkwardText = fc
	.array(fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...FRAGMENTS) }, fc.string({ unit: 'binary' })), {
		maxLength: 12,
	})
	.map((parts) => parts.join(''));
