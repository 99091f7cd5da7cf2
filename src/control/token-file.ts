/** The token that opens the control API over TCP, from its file: what there must be of it, and who may have written or read it. */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

export type TokenRead =
  /** `warning`: a sentence about what would be better. */
  | { readonly token: string; readonly warning?: string }
  /** A sentence, with what to do. */
  | { readonly problem: string };

/** 128 bits in hexadecimal: nobody guesses it, so that nothing has to slow down who tries. */
const TOKEN_MIN = 32;
/** It has to fit into a header. */
const TOKEN_MAX = 1024;
/** What a bearer token may consist of (RFC 6750, 2.1). */
const TOKEN = /^[A-Za-z0-9._~+/-]+=*$/;
/** Room for the newline with which editors end a file. */
const FILE_MAX_BYTES = TOKEN_MAX + 2;

/** Who may write it may open whatever it opens. */
const WRITABLE_BY_OTHERS = 0o022;
/**
 * That is how Docker (0444) and Kubernetes (0644) mount a secret unless they are told otherwise, and in a container that often
 * has one user only: worth a word, no reason to refuse. A group may read it, as Kubernetes has it with `fsGroup`.
 */
const READABLE_BY_ALL = 0o004;

/** Never rejects. `uid`: of this process. */
export async function readTokenFile(path: string, uid: number): Promise<TokenRead> {
  const wrong = (rule: string) => ({ problem: `cannot use "${path}" as a token file: ${rule}` });
  try {
    // A pipe would keep who opens it waiting.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      return await judged(file, path, uid, wrong);
    } finally {
      await file.close();
    }
  } catch (error) {
    return wrong(`it must be readable, got ${(error as NodeJS.ErrnoException).code ?? error}`);
  }
}

function openWarning(path: string, mode: string): string {
  const remedy =
    'chmod 600, or mount the secret with mode 0400 (Kubernetes: defaultMode 0400, or 0440 with an fsGroup)';
  return `every user can read the token file "${path}", got mode ${mode}; ${remedy}`;
}

async function judged(
  file: FileHandle,
  path: string,
  uid: number,
  wrong: (rule: string) => TokenRead,
): Promise<TokenRead> {
  const facts = await file.stat();
  if (!facts.isFile()) return wrong('it must be a file');
  const mode = `0${(facts.mode & 0o777).toString(8)}`;
  if (facts.mode & WRITABLE_BY_OTHERS)
    return wrong(`nobody but its owner must be able to write it, got mode ${mode}; chmod 600`);
  if (facts.uid !== uid && facts.uid !== 0)
    return wrong(`it must belong to gsup's own user or to root, got user ${facts.uid}`);
  const bytes = Buffer.alloc(FILE_MAX_BYTES + 1);
  const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
  const text = bytes.toString('latin1', 0, bytesRead).replace(/\r?\n$/, '');
  if (text.length < TOKEN_MIN || text.length > TOKEN_MAX)
    return wrong(
      `it must have from ${TOKEN_MIN} to ${TOKEN_MAX} characters, got ${bytesRead > FILE_MAX_BYTES ? 'more' : text.length}; openssl rand -hex 32 makes one`,
    );
  if (!TOKEN.test(text))
    return wrong(
      'it must be one line of letters, digits and ._~+/- with = at its end; openssl rand -hex 32 makes one',
    );
  return facts.mode & READABLE_BY_ALL ? { token: text, warning: openWarning(path, mode) } : { token: text };
}
