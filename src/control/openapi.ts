/** The OpenAPI document, from the table of routes. Pure. */

import { type AnswerName, type QueryRow, ROUTES, type Route } from './routes.ts';
import { ANSWER_SCHEMAS, PROBLEM_SCHEMA } from './schemas.ts';

type Json = Readonly<Record<string, unknown>>;

const MEDIA: Readonly<Record<AnswerName, string>> = {
  status: 'application/json',
  processes: 'application/json',
  done: 'application/json',
  health: 'application/json',
  document: 'application/json',
  events: 'application/x-ndjson',
  logs: 'application/x-ndjson',
  metrics: 'text/plain',
};

export function openApi(version: string): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of ROUTES) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation(route) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'gsup',
      version,
      description:
        "The control API of a running task: HTTP/1.1 on the unix socket control.sock in the task's folder.",
    },
    security: [{ token: [] }],
    paths,
    components: {
      schemas: { ...ANSWER_SCHEMAS, problem: PROBLEM_SCHEMA },
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          description: "Over TCP only; the unix socket is its owner's alone.",
        },
      },
    },
  };
}

function operation(route: Route): Json {
  const { path, summary, open, body, query = [], answers } = route;
  const parameters = [...(path.includes('{name}') ? [NAME] : []), ...query.map(parameter)];
  return {
    operationId: operationId(route),
    summary,
    ...(open ? { security: [] } : {}),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body === undefined ? {} : { requestBody: { content: { 'application/json': { schema: body } } } }),
    responses: {
      200: { description: 'done', content: content(MEDIA[answers], answers) },
      ...(answers === 'health' && path !== '/livez'
        ? { 503: { description: 'not so', content: content('application/json', 'health') } }
        : {}),
      default: { description: 'why not', content: content('application/json', 'problem') },
    },
  };
}

/** `postProcessesStop` for POST /v1/processes/{name}/stop. */
function operationId({ method, path }: Route): string {
  const words = path
    .replace(/^\/v1|\{name\}|\.json/g, '')
    .split('/')
    .filter((word) => word !== '');
  const camel = words.map((word) => `${word[0]?.toUpperCase()}${word.slice(1)}`).join('');
  const one = path.endsWith('{name}') ? 'One' : '';
  return `${method.toLowerCase()}${camel}${one}`;
}

function content(media: string, schema: string): Json {
  return { [media]: { schema: { $ref: `#/components/schemas/${schema}` } } };
}

const NAME: Json = {
  name: 'name',
  in: 'path',
  required: true,
  description:
    'a process, an entry of the config that stands for its replicas, or several with commas between them',
  schema: { type: 'string' },
};

function parameter({ name, description, values }: QueryRow): Json {
  const schema = values === undefined ? { type: 'string' } : { type: 'string', enum: values };
  return { name, in: 'query', required: false, description, schema };
}
