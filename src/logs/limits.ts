/** The bounds of captured output, for both parts: init has them from options.gen.h. */

/** How long output may take to be delivered when everything has ended: a reader that stalls must not hold up the end. */
export const DRAIN_MS = 5000;

/** Of each file of a log; 100 MB is what fits a disk that nobody looks after, and is still opened by an editor. */
export const LOG_MAX_BYTES = 100_000_000;

/** The one that is written among them. */
export const LOG_MAX_FILES = 5;
