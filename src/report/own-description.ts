import { constants, fstatSync, openSync } from 'node:fs';

/**
 * A pipe or terminal opened anew: O_NONBLOCK belongs to what is open, not to a descriptor, and the command shares the
 * old one. A file would begin at its start again and never blocks; what cannot be opened stays as it is. Returns a new
 * descriptor, or the one given.
 */
export function openOwnDescription(fd: number): number {
  try {
    const stats = fstatSync(fd);
    if (!stats.isFIFO() && !stats.isCharacterDevice()) return fd;
    const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants;
    return openSync(`/proc/self/fd/${fd}`, O_WRONLY | O_NONBLOCK | O_NOCTTY);
  } catch {
    return fd;
  }
}
