/** JSON Schema of what is answered. Tests compare it with what the server sends, and with the types. */

type Schema = Readonly<Record<string, unknown>>;

const text: Schema = { type: 'string' };
const textOrNull: Schema = { type: ['string', 'null'] };
const number: Schema = { type: 'integer' };
const numberOrNull: Schema = { type: ['integer', 'null'] };
const flag: Schema = { type: 'boolean' };
const timeOrNull: Schema = { type: ['string', 'null'], format: 'date-time' };
const names: Schema = { type: 'array', items: text };

/** Every member is always there: a program may rely on it. */
function object(properties: Readonly<Record<string, Schema>>): Schema {
  return { type: 'object', required: Object.keys(properties), properties, additionalProperties: false };
}

function orNull(schema: Schema): Schema {
  return { anyOf: [schema, { type: 'null' }] };
}

const PROCESS = object({
  name: text,
  replica: numberOrNull,
  want: { enum: ['up', 'down'] },
  state: {
    enum: [
      'waiting',
      'backoff',
      'forked',
      'running',
      'ready',
      'stopping',
      'killing',
      'success',
      'failed',
      'killed',
      'lost',
    ],
  },
  run: textOrNull,
  pid: numberOrNull,
  ready: flag,
  health: { enum: ['healthy', 'unhealthy', null] },
  reason: textOrNull,
  uptime_ms: numberOrNull,
  restarts: number,
  failures: number,
  next_start_at: timeOrNull,
  last: orNull(
    object({
      run: text,
      code: numberOrNull,
      signal: textOrNull,
      outcome: { enum: ['success', 'failed', 'killed', 'lost'] },
      forced: flag,
      cause: textOrNull,
    }),
  ),
  stop: orNull(
    object({
      rung: numberOrNull,
      signal: textOrNull,
      left_ms: numberOrNull,
      waiting_for: { type: 'array', items: object({ pid: number, name: text }) },
    }),
  ),
  cpu_pct: { type: ['number', 'null'] },
  rss_bytes: numberOrNull,
});

const TASK = object({
  name: textOrNull,
  state: textOrNull,
  exit_code: numberOrNull,
  pid: numberOrNull,
  started_at: timeOrNull,
  config_digest: textOrNull,
  stop: orNull(object({ requested_at: text, cause: text, deadline_at: timeOrNull })),
});

const DIFFERENCE = object({
  added: names,
  removed: names,
  changed: { type: 'array', items: object({ process: text, keys: names, restart: flag }) },
  task: names,
});

const process: Schema = { $ref: '#/components/schemas/process' };

export const ANSWER_SCHEMAS: Readonly<Record<string, Schema>> = {
  process: PROCESS,
  status: object({ version: { const: 1 }, task: TASK, processes: { type: 'array', items: process } }),
  processes: object({ version: { const: 1 }, processes: { type: 'array', items: process } }),
  done: {
    type: 'object',
    required: ['processes', 'unchanged'],
    properties: { processes: names, unchanged: names, difference: DIFFERENCE },
    additionalProperties: false,
  },
  health: object({
    status: { enum: ['ok', 'unhealthy', 'not-ready'] },
    waiting_for: { type: 'array', items: object({ process: text, state: text }) },
  }),
  /** Of one line. */
  events: object({ cursor: text, log: { enum: ['checkpoint', 'init'] }, record: { type: 'object' } }),
  logs: {
    anyOf: [
      {
        type: 'object',
        required: ['time', 'process', 'run', 'stream', 'msg'],
        properties: {
          time: { type: 'string', format: 'date-time' },
          process: text,
          run: text,
          stream: { enum: ['stdout', 'stderr'] },
          msg: text,
          /** Its end is still to come, or was never written. */
          partial: { const: true },
        },
        additionalProperties: false,
      },
      /** Lines of it may be missing: more was written than could be read. */
      object({ process: text, missed: { const: true } }),
    ],
  },
  metrics: text,
  document: { type: 'object' },
};

export const PROBLEM_SCHEMA: Schema = object({ code: text, message: text, hint: text });
