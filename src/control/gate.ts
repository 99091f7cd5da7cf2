/** Who comes over TCP: probes and metrics for everybody, the rest for who has the token (SPEC.md 6). */
import { createHash, timingSafeEqual } from 'node:crypto';
import { stat } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { type HttpAnswer, problem } from './answer.ts';
import { isLoopback, type TcpAddress } from './tcp-address.ts';
import { readTokenFile } from './token-file.ts';

export interface Gate {
  /** null: it may come in. `open`: what it asks for is for everybody. */
  refusal(headers: IncomingHttpHeaders, open: boolean): Promise<HttpAnswer | null>;
}

export interface GateWorld {
  readonly address: TcpAddress;
  /** null: there is no token, so that nobody has it. */
  readonly tokenFile: string | null;
  readonly uid: number;
  /** The token file cannot be used (any more); once for each time that it changes. */
  readonly complain: (problem: string) => void;
  /** It can, and should not be as it is; likewise. */
  readonly warn: (sentence: string) => void;
}

export function createGate(world: GateWorld): Gate {
  const { address, tokenFile } = world;
  const token = tokenFile === null ? async () => null : createTokenSource(tokenFile, world);
  return {
    async refusal(headers, open) {
      const said = bearerOf(headers.authorization);
      if (said !== null && isSame(said, await token())) return null;
      if (!open) return unauthorized(tokenFile !== null);
      return isNameOf(headers.host, address) ? null : FOREIGN_NAME;
    },
  };
}

/** The token as its file has it now; null: none that could be used. Asked once for all who ask meanwhile. */
function createTokenSource(
  path: string,
  { uid, complain, warn }: Pick<GateWorld, 'uid' | 'complain' | 'warn'>,
): () => Promise<string | null> {
  let known: { readonly mark: string; readonly token: string | null } | null = null;
  let asking: Promise<string | null> | null = null;
  const look = async (): Promise<string | null> => {
    const mark = await markOf(path);
    if (known?.mark === mark) return known.token;
    const read = await readTokenFile(path, uid);
    if ('problem' in read) complain(read.problem);
    else if (read.warning !== undefined) warn(read.warning);
    known = { mark, token: 'token' in read ? read.token : null };
    return known.token;
  };
  return () => {
    asking ??= look().finally(() => {
      asking = null;
    });
    return asking;
  };
}

/** Another one: the file is another, or has been written, or its mode has been changed. */
async function markOf(path: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'gone';
  }
}

function bearerOf(authorization: string | undefined): string | null {
  return /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(authorization ?? '')?.[1] ?? null;
}

/** In a time that tells nothing of how much of it is right; of digests, since their length tells nothing either. */
function isSame(said: string, token: string | null): boolean {
  return token !== null && timingSafeEqual(digest(said), digest(token));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function unauthorized(hasToken: boolean): HttpAnswer {
  const [message, hint] = hasToken
    ? ['the token of this task is needed', 'send Authorization: Bearer with what --token-file has']
    : ['over TCP this task answers nothing else', 'start it with --token-file, or use its unix socket'];
  return problem(401, 'unauthorized', message, hint, { 'www-authenticate': 'Bearer realm="gsup"' });
}

const FOREIGN_NAME = problem(
  403,
  'foreign-name',
  'this is not asked for by a name of this machine',
  'ask by its address or as localhost, or send the token',
);

/**
 * A web page can give its own name the address 127.0.0.1, and then has the browser ask as if it were that page's server. The
 * browser says by which name it asks. On other interfaces names are not known beforehand, and what is open there is open for
 * the whole network.
 */
export function isNameOf(host: string | undefined, address: TcpAddress): boolean {
  if (host === undefined || !isLoopback(address.host)) return true;
  const name = (/^(\[[^\]]*\]|[^:]*)(?::\d+)?$/.exec(host)?.[1] ?? '').toLowerCase();
  const bare = name.replace(/^\[|\]$/g, '');
  return isIP(bare) !== 0 || bare === 'localhost' || bare === address.host.toLowerCase();
}
