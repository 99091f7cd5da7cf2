/** A timeline as one HTML file that needs nothing else: no network, no server. Pure. */
import { escapeMarkup } from './draw.ts';
import type { Timeline } from './model.ts';
import { headline } from './svg.ts';

/** Built from src/report/timeline; see scripts/build.mjs. */
export interface PageParts {
  readonly script: string;
  readonly style: string;
  readonly pageStyle: string;
}

const KEYS: ReadonlyArray<readonly [kind: string, meaning: string]> = [
  ['running', 'running'],
  ['success', 'success'],
  ['failed', 'failed'],
  ['killed', 'stopped'],
  ['forced', 'SIGKILL'],
  ['wait', 'grace: used and allowed'],
];

/** Marks of a lane, and lines over all of them. */
const MARKS: ReadonlyArray<readonly [kind: string, meaning: string]> = [
  ['ready', 'ready'],
  ['signal', 'signal sent'],
  ['stop', 'stop asked for'],
  ['budget', 'end of the stop budget'],
  ['supervisor', 'supervisor started again'],
];

/**
 * Nothing from outside is markup here: names are in the data, which no browser takes for a script. null: nothing is in the page,
 * and it asks the server that it comes from.
 */
export function renderHtml(timeline: Timeline | null, parts: PageParts): string {
  const data =
    timeline === null
      ? ''
      : JSON.stringify(timeline).replace(/[<>&\u2028\u2029]/g, (character) => `\\u${hex(character)}`);
  const key = (attributes: string, meaning: string) =>
    `<span class="keys"><span class="key${attributes}"></span>${meaning}</span>`;
  const keys = [
    ...KEYS.map(([kind, meaning]) => key(`" style="background:var(--${kind})`, meaning)),
    ...MARKS.map(([kind, meaning]) => key(` across for-${kind}`, meaning)),
  ];
  const connect = timeline === null ? "; connect-src 'self'" : '';
  const [title, head] = timeline === null ? ['', 'asking …'] : [timeline.task, headline(timeline)];
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'${connect}">
<title>${escapeMarkup(`gsup: ${title}`)}</title><style>${parts.style}${parts.pageStyle}</style></head>
<body><header><h1 id="task">${escapeMarkup(title)}</h1><p id="headline">${escapeMarkup(head)}</p><p id="source" role="status"></p>
<nav aria-label="View"><button id="in" type="button">Zoom in</button><button id="out" type="button">Zoom out</button><button id="all" type="button">All</button><button id="to-stop" type="button">Stop</button>
<label>Search <input id="search" type="search" placeholder="web, web#3, failed, forced" autocomplete="off"></label><span id="found" role="status"></span></nav></header>
<div id="scroll" tabindex="0" role="application" aria-label="Timeline: arrow keys move, plus and minus zoom, 0 shows all, up and down choose a run"></div>
<pre id="told" aria-live="polite"></pre>
<footer>${keys.join(' ')}<br><span>Drag or arrow keys: move. Ctrl and wheel, + and -: zoom. 0: all. /: search. Up and down: choose a run.</span></footer>
<script type="application/json" id="data">${data}</script><script>${parts.script}</script></body></html>
`;
}

function hex(character: string): string {
  return character.charCodeAt(0).toString(16).padStart(4, '0');
}
