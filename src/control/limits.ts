/** The bounds of the control API: what a client can take from the supervisor at most. */

/** Connections at a time; one more is closed at once. Each costs some 20 kB. */
export const CONNECTIONS_MAX = 128;
/** Streams of events and logs among them, so that requests still find room. */
export const STREAMS_MAX = 64;
/** Of one connection, that came without waiting for their answers. */
export const PENDING_MAX = 16;
export const HEADER_MAX_BYTES = 8 * 1024;
export const HEADERS_MAX = 64;
/** The largest request names every process of a task. */
export const BODY_MAX_BYTES = 256 * 1024;
/** From the connection, or the last answer, until a request is complete. A client on the same machine needs milliseconds. */
export const REQUEST_WITHIN_MS = 10_000;
/** Until an answer is taken, or a stream that is full is read on. */
export const READ_WITHIN_MS = 10_000;
/** What a stream reads at once for one client, in records. */
export const STREAM_BATCH = 500;
/** Of whom output can be asked for at once; each has a copy of up to 256 KiB. */
export const LOG_PROCESSES_MAX = 32;
/** Output that is read and not yet taken, of all clients together: who makes it more is cut off. */
export const LOG_HELD_MAX_BYTES = 32 * 1024 * 1024;
/**
 * At the end of the task, for those who listen to take what is left. Who takes nothing is waited for as long as 250 ms are on a
 * machine with time; who takes little, for so long that init, which waits 2 s for this process, need not end it.
 */
export const CLOSE_PATIENCE = { looks: 50, mostMs: 1500 } as const;

/** Where a stream of events begins, for who is cut off before the first one. */
export const CURSOR_HEADER = 'gsup-cursor';
