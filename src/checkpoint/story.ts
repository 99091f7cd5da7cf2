// A task's logs as one story for each gsup that has written to them.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { logFiles } from './files.ts';
import { joinParts, type Merged, mergeLogs } from './merge.ts';
import { readLogFile } from './read-log.ts';
import type { CheckpointRecord } from './record.ts';

export type StoryEntry = Merged<{ record: CheckpointRecord }>;
export type Stories = {
  /** The present one stands last. */
  stories: StoryEntry[][];
  /** Why there is no more of them: damage, or a format that a later gsup has written. null: they are whole. */
  problem: string | null;
};

/** `path`: a task's folder, or one log. `past`: so many starts ago, of those that are kept. Throws what `fs` throws. */
export function readStories(path: string, past = 0): Stories {
  if (!statSync(path).isDirectory()) {
    const { records, problem } = readOne(path);
    return { stories: [records.map((item) => ({ log: 'checkpoint', item }))], problem };
  }
  const ending = past === 0 ? '' : `.${past}`;
  const [checkpoint, older, init] = logFiles.map((name) => {
    const file = join(path, name + ending);
    return statSync(file, { throwIfNoEntry: false }) === undefined ? NOTHING : readOne(file);
  }) as [One, One, One];
  const stories = mergeLogs(checkpoint.records, joinParts(older.records, init.records));
  const problem = checkpoint.problem ?? older.problem ?? init.problem;
  return { stories: stories.map((story) => story.items), problem };
}

type One = { records: { record: CheckpointRecord }[]; problem: string | null };

const NOTHING: One = { records: [], problem: null };

function readOne(path: string): One {
  const { entries, damage, newer } = readLogFile(path);
  const problem = newer
    ? `format version ${newer.version} needs a newer gsup`
    : damage
      ? `damaged at line ${damage.line}: ${damage.reason}`
      : null;
  return { records: entries.map(({ record }) => ({ record })), problem };
}
