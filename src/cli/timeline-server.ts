/**
 * The timeline's page over HTTP, for who has the token: a shell without any data at `/`, and at `/events` what has happened
 * and what happens, as lines of JSON. In the process of the command, so that a browser never speaks with a supervisor.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { isNameOf } from '../control/gate.ts';
import type { TcpAddress } from '../control/tcp-address.ts';
import { type Known, newsSince } from '../report/timeline/live.ts';

export interface TimelineServer {
  /** Whoever has it sees the task. It stands behind the # of the address, which no browser sends or tells others. */
  readonly token: string;
  /** There is something new. Whoever listens is told soon. */
  changed(): void;
  /** Rejects with what is in the way. */
  listen(): Promise<TcpAddress>;
  close(): void;
}

export interface TimelineServerWorld {
  /** Port 0: one that is free. */
  readonly address: TcpAddress;
  readonly page: string;
  readonly known: () => Known;
  /** How old the task is. */
  readonly ageMs: () => number;
}

/** Pages open at a time: people, not machines. */
const STREAMS_MAX = 16;
const CONNECTIONS_MAX = 64;
const HEADER_MAX_BYTES = 8 * 1024;
const TOKEN_BYTES = 32;
/** A burst of records is one message; faster nobody can see it. */
const GATHER_MS = 100;
/** So that a page on a quiet task notices that nobody is there any more, and the other way round. */
const ALIVE_EVERY_MS = 10_000;

const HEADERS = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
} as const;

export function createTimelineServer(world: TimelineServerWorld): TimelineServer {
  const { address, page, known, ageMs } = world;
  const token = randomBytes(TOKEN_BYTES).toString('hex');
  const streams = new Set<Stream>();
  let gathering: NodeJS.Timeout | undefined;

  const serve = (asked: IncomingMessage, response: ServerResponse): void => {
    const answer = answerTo(asked, address, token, page);
    if (answer !== 'events') send(asked, response, answer);
    else if (streams.size >= STREAMS_MAX) send(asked, response, BUSY);
    else open(response);
  };
  const open = (response: ServerResponse): void => {
    response.writeHead(200, { ...HEADERS, 'content-type': 'application/x-ndjson' });
    const stream = createStream(response, known, ageMs);
    streams.add(stream);
    response.on('close', () => streams.delete(stream));
    stream.tell();
  };

  const server = createServer({ maxHeaderSize: HEADER_MAX_BYTES, keepAliveTimeout: 5000 }, serve);
  server.maxConnections = CONNECTIONS_MAX;
  const alive = setInterval(() => {
    for (const stream of streams) stream.ping();
  }, ALIVE_EVERY_MS);
  return {
    token,
    changed() {
      gathering ??= setTimeout(() => {
        gathering = undefined;
        for (const stream of streams) stream.tell();
      }, GATHER_MS);
    },
    listen: () => listen(server, address),
    close() {
      clearInterval(alive);
      clearTimeout(gathering);
      for (const stream of streams) stream.end();
      server.close();
      server.closeIdleConnections();
    },
  };
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

const BUSY = plain(503, `${STREAMS_MAX} pages are open already`);

function plain(status: number, text: string): Answer {
  return { status, type: 'text/plain', text: `${text}\n` };
}

function answerTo(
  { url = '', method = '', headers }: IncomingMessage,
  address: TcpAddress,
  token: string,
  page: string,
): Answer | 'events' {
  if (!isNameOf(headers.host, address)) return plain(403, 'this machine has no such name');
  if (method !== 'GET') return plain(405, 'there is only something to get');
  if (url === '/') return { status: 200, type: 'text/html; charset=utf-8', text: page };
  if (url === '/favicon.ico') return { status: 204, type: 'image/png', text: '' };
  if (url !== '/events') return plain(404, 'there is nothing of that name');
  return isBearer(headers.authorization, token) ? 'events' : plain(401, 'the token is needed');
}

function send(asked: IncomingMessage, response: ServerResponse, { status, type, text }: Answer): void {
  // Who sends more than a question is not listened to.
  const close = asked.method === 'GET' ? {} : { connection: 'close' };
  response.writeHead(status, { ...HEADERS, ...close, 'content-type': type }).end(text);
}

interface Stream {
  tell(): void;
  ping(): void;
  end(): void;
}

/** Nothing is queued: who reads slowly gets, when there is room, all that has happened since as one piece of news. */
function createStream(response: ServerResponse, known: () => Known, ageMs: () => number): Stream {
  let told: Known | null = null;
  let full = false;
  const write = (line: string): void => {
    full = !response.write(`${line}\n`);
  };
  const tell = (): void => {
    if (full || response.writableEnded) return;
    const now = known();
    const news = newsSince(told, now, ageMs());
    told = now;
    if (news !== null) write(JSON.stringify(news));
    // That was the last of it.
    if (news?.nowMs === null) response.end();
  };
  response.on('drain', () => {
    full = false;
    tell();
  });
  return {
    tell,
    ping: () => full || response.writableEnded || write(''),
    end: () => void response.end(),
  };
}

/** In a time that tells nothing of how much of it is right. */
function isBearer(authorization: string | undefined, token: string): boolean {
  const said = /^Bearer ([0-9a-f]+)$/.exec(authorization ?? '')?.[1] ?? '';
  return timingSafeEqual(digest(said), digest(token));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function listen(server: Server, { host, port }: TcpAddress): Promise<TcpAddress> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, () => {
      server.off('error', reject);
      // A connection that could not be taken is that client's business.
      server.on('error', () => {});
      const bound = server.address();
      resolve({ host, port: typeof bound === 'object' && bound !== null ? bound.port : port });
    });
  });
}
