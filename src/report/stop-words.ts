/** Why a stop was asked for, in words. Pure. */
import type { BodyOf } from '../checkpoint/record.ts';

export const stopWords: Record<Exclude<BodyOf<'stop-requested'>['cause'], 'signal'>, string> = {
  api: 'asked for by a client',
  'main-ended': 'the command has ended',
  failure: 'a process has failed for good',
  budget: 'the stop budget is used up',
  unhealthy: 'unhealthy',
  memory: 'above its memory limit',
  reload: 'its configuration has changed',
  'not-ready': 'not ready in time',
  'finalization-wait': 'the final processes have had their time',
};
