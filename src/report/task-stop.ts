/** Which requests to stop concern the task as a whole. Pure. */
import type { BodyOf, CheckpointRecord, Envelope } from '../checkpoint/record.ts';

type Request = Envelope & BodyOf<'stop-requested'>;

/** Without a supervisor each run says that it is asked, and a signal to gsup is for all of them. */
export function isOfTask({ process, processes, run, cause }: BodyOf<'stop-requested'>): boolean {
  return process === undefined && processes === undefined && (run === undefined || cause === 'signal');
}

/** One for each time that somebody has asked, in their order: what runs say, or a supervisor that comes later, is the first one again. */
export function taskAsks(records: readonly CheckpointRecord[]): readonly Request[] {
  const asks = records.filter(
    (record): record is Request => record.type === 'stop-requested' && isOfTask(record),
  );
  const later = asks.filter(({ run }) => run === undefined);
  const [first] = asks;
  return first?.run === undefined ? later : [first, ...later.slice(1)];
}
