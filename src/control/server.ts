/** HTTP/1.1 and JSON on the control socket. Loaded when the first client comes: a start does not wait for it. */
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import type { Socket } from 'node:net';
import { escapeControls } from '../checkpoint/codec.ts';
import { type HttpAnswer, problem } from './answer.ts';
import { createFeed, type LogPlace, logSizes } from './feed.ts';
import { findRoute } from './find-route.ts';
import { createGate, type Gate, type GateWorld } from './gate.ts';
import { takerOf, untilTaken } from './last-taken.ts';
import {
  CLOSE_PATIENCE,
  HEADER_MAX_BYTES,
  HEADERS_MAX,
  PENDING_MAX,
  READ_WITHIN_MS,
  REQUEST_WITHIN_MS,
  STREAMS_MAX,
} from './limits.ts';
import type { Via } from './listen.ts';
import { createStatusSource } from './live-status.ts';
import { createLogSource } from './log-stream.ts';
import type { Metrics } from './metrics.ts';
import { createPeers, type Peers } from './peers.ts';
import { parseBody, readBody } from './read-body.ts';
import { ROUTES, type Route } from './routes.ts';
import { findShapeProblem } from './shape.ts';
import type { Sources } from './sources.ts';

export interface ControlWorld {
  readonly place: LogPlace;
  /** Over TCP; null: nobody comes that way. */
  readonly tcp: GateWorld | null;
  readonly request: Sources['request'];
  readonly state: Sources['state'];
  readonly counts: Sources['counts'];
  readonly nowNs: () => bigint;
}

export interface ControlServer {
  accept(socket: Socket, via: Via): void;
  /** Tells those who listen all there is and that it is over, and lets them go. Resolves soon, whatever they do. */
  close(): Promise<void>;
}

export function createControlServer(world: ControlWorld): ControlServer {
  const { request, state, counts } = world;
  const feed = createFeed(world.place);
  const closing = new AbortController();
  const { status } = createStatusSource(feed, state, world.nowNs);
  const id = () => {
    const { hello } = state().live;
    return `${(hello?.initTicks ?? 0n).toString(36)}.${(hello?.initPid ?? 0).toString(36)}`;
  };
  let made: Promise<Metrics> | undefined;
  const metrics = () => {
    made ??= import('./metrics.ts').then(({ createMetrics }) =>
      createMetrics(feed, () => logSizes(world.place)),
    );
    return made;
  };
  const { folder } = world.place;
  const logs = folder === null ? null : createLogSource(folder, closing.signal);
  const sources: Sources = {
    request,
    state,
    status,
    feed,
    metrics,
    counts,
    folder,
    logs,
    id,
    closing: closing.signal,
  };
  const peers = createPeers();
  const gate = world.tcp === null ? null : createGate(world.tcp);
  const open = new Map<Socket, Connection>();
  let streams = 0;

  const serve = async (asked: IncomingMessage, response: ServerResponse): Promise<void> => {
    const connection = open.get(asked.socket);
    if (connection === undefined || ++connection.pending > PENDING_MAX) return void asked.socket.destroy();
    response.on('close', () => {
      connection.pending--;
      connection.expect(REQUEST_WITHIN_MS);
    });
    const answer = await answerTo(asked, sources, connection, { gate, peers });
    if (answer === null) return;
    if (!('write' in answer) || streams >= STREAMS_MAX) {
      connection.expect(READ_WITHIN_MS);
      return send(response, 'write' in answer ? BUSY : answer);
    }
    connection.streams++;
    await stream(response, answer).finally(() => connection.streams--);
    connection.expect(READ_WITHIN_MS);
    response.end();
  };

  const stream = async (response: ServerResponse, { type, headers, write }: Stream): Promise<void> => {
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    response.writeHead(200, { ...headers, 'content-type': type, 'cache-control': 'no-store' });
    response.flushHeaders();
    if (response.req.method === 'HEAD') return;
    streams++;
    await write(response, gone.signal).finally(() => streams--);
  };

  const server = createHttp((asked, response) => {
    serve(asked, response).catch(() => response.destroy());
  });

  return {
    accept(socket, via) {
      const connection = createConnection(via, () => socket.destroy());
      open.set(socket, connection);
      socket.on('close', () => {
        open.delete(socket);
        connection.wait();
      });
      connection.expect(REQUEST_WITHIN_MS);
      server.emit('connection', socket);
      socket.resume();
    },
    async close() {
      closing.abort();
      const takers = [...open].map(([socket, of]) => takerOf(socket, () => of.streams === 0));
      await untilTaken(takers, CLOSE_PATIENCE);
      for (const socket of open.keys()) socket.destroySoon();
    },
  };
}

type Plain = Exclude<HttpAnswer, { write: unknown }>;
type Stream = Extract<HttpAnswer, { write: unknown }>;

const BUSY = problem(
  503,
  'busy',
  `there are ${STREAMS_MAX} streams already`,
  'end one, or ask again later',
) as Plain;

/** Node's own time-outs work with a server that listens itself; this one is handed its connections. */
function createHttp(listener: (asked: IncomingMessage, response: ServerResponse) => void): Server {
  const server = createServer({ maxHeaderSize: HEADER_MAX_BYTES, keepAliveTimeout: 0 }, listener);
  server.maxHeadersCount = HEADERS_MAX;
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy();
    const tooLarge = error.code === 'HPE_HEADER_OVERFLOW';
    const body = tooLarge
      ? problem(431, 'too-large', `the headers have more than ${HEADER_MAX_BYTES} bytes`, 'send fewer')
      : problem(400, 'bad-request', 'this is no HTTP/1.1 request', 'curl --unix-socket makes one');
    socket.end(rawAnswer(body));
  });
  return server;
}

/** null: the client has gone. */
async function answerTo(
  asked: IncomingMessage,
  sources: Sources,
  { via, wait }: Connection,
  { gate, peers }: { readonly gate: Gate | null; readonly peers: Peers },
): Promise<HttpAnswer | null> {
  const found = findRoute(ROUTES, asked.method ?? '', asked.url ?? '');
  const isOpen = 'route' in found && found.route.open === true;
  const refusal = via === 'unix' ? null : ((await gate?.refusal(asked.headers, isOpen)) ?? null);
  // What a stranger sends is read, so that the answer gets through, and not kept.
  const body = await readBody(asked, refusal === null);
  if ('gone' in body) return null;
  wait();
  if (refusal !== null) return refusal;
  if ('wrong' in found) return found.wrong;
  if ('wrong' in body) return body.wrong;
  const { route, name, query } = found;
  const value = route.body === undefined ? { value: {} } : parseBody(body.bytes);
  if ('wrong' in value) return value.wrong;
  const fault = route.body === undefined ? null : findShapeProblem(route.body, value.value);
  if (fault !== null) return problem(400, 'bad-request', fault, bodyHint(route));
  // Who only looks leaves no record.
  const by = via === 'unix' && route.method === 'POST' ? await peers.of(asked.socket) : null;
  try {
    return await route.handle(sources, { name, query, by, body: value.value as Record<string, unknown> });
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    return problem(500, 'internal', `internal error: ${what}`, 'the task goes on; please report this');
  }
}

function bodyHint({ path }: Route): string {
  return `GET /v1/openapi.json tells what ${path} takes`;
}

function send(response: ServerResponse, answer: Plain): void {
  const [type, text] = rendered(answer);
  const headers = 'headers' in answer ? answer.headers : {};
  response.writeHead(answer.status, {
    ...headers,
    'content-type': type,
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  });
  response.end(text);
}

function rendered(answer: Plain): [type: string, text: string] {
  if ('text' in answer) return [answer.type, answer.text];
  // What could move a cursor is an escape of JSON: the value stays what it is.
  return ['application/json', `${escapeControls(JSON.stringify(answer.json))}\n`];
}

/** Where there is no request that could be answered. */
function rawAnswer(answer: HttpAnswer): string {
  const [type, text] = rendered(answer as Plain);
  const head = `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status]}`;
  const headers = `content-type: ${type}\r\ncontent-length: ${Buffer.byteLength(text)}\r\nconnection: close`;
  return `${head}\r\n${headers}\r\n\r\n${text}`;
}

interface Connection {
  readonly via: Via;
  /** Requests whose answers have not been taken. */
  pending: number;
  /** Answers without an end of their own among them. */
  streams: number;
  /** Something must come, or be taken, within that time. */
  expect(ms: number): void;
  wait(): void;
}

function createConnection(via: Via, late: () => void): Connection {
  let timer: NodeJS.Timeout | undefined;
  const wait = () => clearTimeout(timer);
  return {
    via,
    pending: 0,
    streams: 0,
    expect(ms) {
      wait();
      timer = setTimeout(late, ms);
    },
    wait,
  };
}
