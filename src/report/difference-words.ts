/** What differs between two configs of a task, in one sentence. Pure. */
import type { ConfigDifference } from '../supervisor/client-request.ts';

export function differenceText({ added, removed, changed, task }: ConfigDifference): string {
  const parts = [
    ...(added.length > 0 ? [`new: ${added.join(', ')}`] : []),
    ...(removed.length > 0 ? [`gone: ${removed.join(', ')}`] : []),
    ...changed.map(
      ({ process, keys, restart }) => `${process}: ${keys.join(', ')}${restart ? ' (needs a new run)' : ''}`,
    ),
    ...(task.length > 0 ? [`of the task: ${task.join(', ')}`] : []),
  ];
  return parts.length === 0 ? 'nothing has changed' : parts.join('; ');
}
