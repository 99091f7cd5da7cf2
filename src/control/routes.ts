/** The one table of routes: the server finds its way by it, and docs/reference/openapi.json is made from it. */
import type { Who } from '../checkpoint/record.ts';
import { VERSION } from '../cli/version.gen.ts';
import { signalNumber } from '../signals/names.ts';
import type { Request } from '../supervisor/client-request.ts';
import type { Target } from '../supervisor/vocabulary.ts';
import { type HttpAnswer, problem } from './answer.ts';
import { streamEvents } from './event-stream.ts';
import { LOG_QUERY, showLogs } from './log-route.ts';
import { answerRequest } from './request-answer.ts';
import type { Shape } from './shape.ts';
import type { Sources } from './sources.ts';
import { judgeTask } from './verdict.ts';

/** What a request is, when its route is known and its body checked. */
export interface Asked {
  /** Of `{name}` in the path: one process, an entry that has replicas, or several with commas. */
  readonly name: string;
  readonly query: Readonly<Record<string, string>>;
  /** Of a client on this machine; null: not to be known. */
  readonly by: Who | null;
  /** As `body` of the route says. */
  readonly body: Readonly<Record<string, unknown>>;
}

export interface QueryRow {
  readonly name: string;
  readonly description: string;
  readonly values?: readonly string[];
}

/** Names of what is answered, in the document. */
export type AnswerName =
  | 'status'
  | 'processes'
  | 'done'
  | 'health'
  | 'events'
  | 'logs'
  | 'metrics'
  | 'document';

export interface Route {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly summary: string;
  /** Answered over TCP without a token: it tells nothing but whether all is well, and changes nothing. */
  readonly open?: true;
  readonly query?: readonly QueryRow[];
  readonly body?: Shape;
  readonly answers: AnswerName;
  handle(sources: Sources, asked: Asked): HttpAnswer | Promise<HttpAnswer>;
}

/** As many runs as init has room for. */
const ENTRIES_MAX = 2048;
const NO_BODY: Shape = { type: 'object', properties: {}, additionalProperties: false };
const RESTART_BODY: Shape = {
  type: 'object',
  properties: {
    asked_ns: {
      type: 'string',
      maxLength: 20,
      description:
        'for a request that is repeated because its connection was cut: CLOCK_MONOTONIC when it was made for the first time; a run that is younger is new enough',
    },
  },
  additionalProperties: false,
};
const USAGE: QueryRow = {
  name: 'usage',
  values: ['true', 'false'],
  description: 'false: without CPU and memory, which take longest',
};

const SIGNAL_BODY: Shape = {
  type: 'object',
  additionalProperties: false,
  required: ['signal'],
  properties: {
    signal: { type: 'string', maxLength: 16, description: 'TERM, SIGUSR1, 15 or RTMIN+3' },
    target: {
      type: 'string',
      maxLength: 16,
      enum: ['group', 'leader', 'tree'],
      description: 'who gets it; without: group',
    },
  },
};

const SHUTDOWN_BODY: Shape = {
  type: 'object',
  additionalProperties: false,
  properties: { now: { type: 'boolean', description: 'with SIGKILL, at once; without: false' } },
};

const SCALE_BODY: Shape = {
  type: 'object',
  additionalProperties: false,
  required: ['replicas'],
  properties: {
    replicas: {
      type: 'object',
      description: 'how many, by the name of the entry',
      minProperties: 1,
      maxProperties: ENTRIES_MAX,
      additionalProperties: { type: 'integer', minimum: 0, maximum: ENTRIES_MAX },
    },
  },
};

const UPGRADE_BODY: Shape = {
  type: 'object',
  additionalProperties: false,
  required: ['installation'],
  properties: {
    installation: {
      type: 'string',
      maxLength: 1023,
      description: 'folder that has dist/main.js, an absolute path; empty: the one that init belongs to',
    },
  },
};

export const ROUTES: readonly Route[] = [
  {
    method: 'GET',
    path: '/v1/status',
    summary: 'what the task and its processes do',
    query: [USAGE],
    answers: 'status',
    handle: async ({ status }, { query }) => ({
      status: 200,
      json: await status(query.usage !== 'false'),
    }),
  },
  {
    method: 'GET',
    path: '/v1/processes/{name}',
    summary: 'the same of one process, or of each of its replicas',
    query: [USAGE],
    answers: 'processes',
    handle: describeProcess,
  },
  processRoute('start', 'start it, and what it depends on; what failed before does not count any more'),
  processRoute('stop', 'stop it, with its whole ladder; it stays down until it is started'),
  {
    method: 'POST',
    path: '/v1/processes/{name}/restart',
    summary: 'give it a new run; of replicas the next when the last is ready',
    body: RESTART_BODY,
    answers: 'done',
    handle: restart,
  },
  processRoute('drain', 'take the first rung of its ladder, and no further; no other run follows'),
  {
    method: 'POST',
    path: '/v1/processes/{name}/signal',
    summary: 'send it a signal, once',
    body: SIGNAL_BODY,
    answers: 'done',
    handle: sendSignal,
  },
  {
    method: 'POST',
    path: '/v1/shutdown',
    summary: 'stop the task',
    body: SHUTDOWN_BODY,
    answers: 'done',
    handle: (sources, { body, by }) =>
      ask(sources, by, 'stop the task', { op: 'shutdown', now: body.now === true }),
  },
  {
    method: 'POST',
    path: '/v1/drain',
    summary: 'drain all but the final processes, level by level',
    body: NO_BODY,
    answers: 'done',
    handle: (sources, { by }) => ask(sources, by, 'drain the task', { op: 'drain', processes: [] }),
  },
  {
    method: 'POST',
    path: '/v1/scale',
    summary: 'change how many replicas there are; the newest are stopped first',
    body: SCALE_BODY,
    answers: 'done',
    handle: scale,
  },
  {
    method: 'POST',
    path: '/v1/reload',
    summary: 'read the config again, and apply it to what has changed',
    body: NO_BODY,
    answers: 'done',
    handle: (sources, { by }) => ask(sources, by, 'reload the config', { op: 'reload' }),
  },
  {
    method: 'POST',
    path: '/v1/upgrade',
    summary: 'replace the supervisor by that of another installation; no process notices',
    body: UPGRADE_BODY,
    answers: 'done',
    handle: (sources, { body, by }) =>
      ask(sources, by, 'upgrade', { op: 'upgrade', installation: body.installation as string }),
  },
  {
    method: 'GET',
    path: '/v1/events',
    summary: 'the records of the checkpoint log, one JSON object per line, and those that are still to come',
    query: [
      {
        name: 'cursor',
        description:
          'go on behind the event that had it; `now`: only what is to come; without: from the beginning',
      },
      { name: 'follow', values: ['true', 'false'], description: 'false: end where the log ends' },
    ],
    answers: 'events',
    handle: ({ feed, id, closing }, { query }) =>
      streamEvents(feed, id(), { cursor: query.cursor ?? null, follow: query.follow !== 'false' }, closing),
  },
  {
    method: 'GET',
    path: '/v1/logs/{name}',
    summary: 'what it has written, one JSON object per line, by time; where its output is captured',
    query: LOG_QUERY,
    answers: 'logs',
    handle: (sources, { name, query }) => showLogs(sources, namesOf(name), query, Date.now()),
  },
  {
    method: 'GET',
    path: '/v1/openapi.json',
    summary: 'this document',
    answers: 'document',
    handle: async () => ({ status: 200, json: (await import('./openapi.ts')).openApi(VERSION) }),
  },
  {
    method: 'GET',
    path: '/metrics',
    summary: 'metrics in the text format of Prometheus',
    open: true,
    answers: 'metrics',
    handle: async ({ metrics, status, counts }) => {
      const [{ type, render }, now, counted] = await Promise.all([metrics(), status(true), counts()]);
      return { status: 200, type, text: await render(now, counted) };
    },
  },
  {
    method: 'GET',
    path: '/livez',
    summary: 'the supervisor answers',
    open: true,
    answers: 'health',
    handle: () => ({ status: 200, json: { status: 'ok', waiting_for: [] } }),
  },
  {
    method: 'GET',
    path: '/healthz',
    summary: 'the task goes on, and nothing in it is unhealthy or has failed for good',
    open: true,
    answers: 'health',
    handle: ({ state }) => judged(judgeTask(state()).healthy, 'unhealthy', state),
  },
  {
    method: 'GET',
    path: '/readyz',
    summary: 'each process is ready or has done its work, and no stop has begun',
    open: true,
    answers: 'health',
    handle: ({ state }) => judged(judgeTask(state()).ready, 'not-ready', state),
  },
];

function restart(sources: Sources, { name, body, by }: Asked): HttpAnswer | Promise<HttpAnswer> {
  const what = `restart ${quoted(name)}`;
  const asked = body.asked_ns as string | undefined;
  if (asked === undefined) return ask(sources, by, what, { op: 'restart', processes: namesOf(name) });
  if (/^\d+$/.test(asked))
    return ask(sources, by, what, { op: 'restart', processes: namesOf(name), askedNs: BigInt(asked) });
  return problem(400, 'bad-request', `cannot ${what}: "asked_ns" must be a decimal number`, 'leave it out');
}

function processRoute(op: 'start' | 'stop' | 'drain', summary: string): Route {
  return {
    method: 'POST',
    path: `/v1/processes/{name}/${op}`,
    summary,
    body: NO_BODY,
    answers: 'done',
    handle: (sources, { name, by }) =>
      ask(sources, by, `${op} ${quoted(name)}`, { op, processes: namesOf(name) }),
  };
}

async function describeProcess({ status, state }: Sources, { name, query }: Asked): Promise<HttpAnswer> {
  const names = namesOf(name);
  const { plan } = state();
  const found = names.map((each) => plan.processes.filter((one) => one.name === each || one.entry === each));
  const unknown = names.find((_, at) => found[at]?.length === 0);
  if (unknown !== undefined) {
    const known = [...new Set(plan.processes.flatMap((one) => [one.name, one.entry]))];
    const refusal = { reason: 'no-such-process', name: unknown, known } as const;
    return answerRequest(`show ${quoted(name)}`, { kind: 'refused', refusal });
  }
  const meant = new Set(found.flat().map((one) => one.name));
  const { version, processes } = await status(query.usage !== 'false');
  return { status: 200, json: { version, processes: processes.filter((one) => meant.has(one.name)) } };
}

function sendSignal(sources: Sources, { name, body, by }: Asked): HttpAnswer | Promise<HttpAnswer> {
  const text = body.signal as string;
  const signal = signalNumber(text);
  const target = (body.target ?? 'group') as Target;
  const what = `signal ${quoted(name)}`;
  if (signal !== undefined)
    return ask(sources, by, what, { op: 'signal', processes: namesOf(name), signal, target });
  const hint = 'a signal like TERM, SIGUSR1, 15 or RTMIN+3 is needed';
  return problem(400, 'bad-request', `cannot ${what}: ${quoted(text)} is no signal`, hint);
}

function scale(sources: Sources, { body, by }: Asked): Promise<HttpAnswer> {
  const asked = Object.entries(body.replicas as Record<string, number>);
  const to = asked.map(([entry, replicas]) => ({ entry, replicas }));
  return ask(sources, by, `scale ${asked.map(([entry]) => quoted(entry)).join(', ')}`, { op: 'scale', to });
}

/** Several have commas between them: all of them, or none, as one request. */
function namesOf(name: string): string[] {
  return [...new Set(name.split(','))];
}

async function ask({ request }: Sources, by: Who | null, what: string, asked: Request): Promise<HttpAnswer> {
  return answerRequest(what, await request(asked, by));
}

function judged(good: boolean, otherwise: 'unhealthy' | 'not-ready', state: Sources['state']): HttpAnswer {
  const { waitingFor } = judgeTask(state());
  return { status: good ? 200 : 503, json: { status: good ? 'ok' : otherwise, waiting_for: waitingFor } };
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}...` : text);
}
