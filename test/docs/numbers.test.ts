// Numbers that README and ARCHITECTURE say stand in the code once, and are the same there.
import { expect, test } from 'vitest';
import { page } from './pages.ts';

const NUMBERS = [
  ['README.md', 'within 250 ms', 'src/init/main.c', '#define SAME_REQUEST (250 * MS)'],
  ['README.md', '5 s after SIGKILL', 'src/init/init.h', '#define STUCK_AFTER (5 * SECOND)'],
  ['README.md', 'more than 16,384 processes', 'src/init/init.h', 'WALK_MAX = 16384'],
  ['README.md', 'more than 256 processes', 'src/init/init.h', 'pid_t told[256]'],
  ['README.md', '`init.log.5`', 'src/init/state.c', 'KEPT_LOGS = 5'],
  ['README.md', 'once that had grown to 1 MiB', 'src/init/record.c', 'log_max = 1024 * 1024;'],
  ['README.md', 'compacted at 1 MiB', 'src/checkpoint/compactor.ts', 'compactAtBytes = 1024 * 1024;'],
  ['README.md', 'the last 256 KiB stay', 'src/checkpoint/compactor.ts', 'keepBytes = 256 * 1024;'],
  ['ARCHITECTURE.md', 'the fourth time it does not wait', 'src/checkpoint/compactor.ts', 'patience = 3;'],
  ['README.md', '80 % of a grace', 'src/supervisor/run-events.ts', '(BigInt(rung.waitMs) * MS) / 5n'],
  ['ARCHITECTURE.md', 'has 250 ms while', 'src/init/supervisor.h', '#define ANSWER_WITHIN (250 * MS)'],
  ['ARCHITECTURE.md', '2 s while one is being', 'src/init/supervisor.h', '#define START_WITHIN (2 * SECOND)'],
  ['ARCHITECTURE.md', 'for 10 s is replaced', 'src/init/supervisor.h', '#define REPLACE_AFTER (10 * SECOND)'],
  ['ARCHITECTURE.md', 'after 100 ms', 'src/init/supervisor.h', '#define RETRY_FIRST (100 * MS)'],
  ['ARCHITECTURE.md', 'doubling up to 30 s', 'src/init/supervisor.h', '#define RETRY_LAST (30 * SECOND)'],
  ['ARCHITECTURE.md', 'longer than 250 ms', 'src/init/run.c', '#define PATIENCE (250 * MS)'],
  ['ARCHITECTURE.md', 'look again after 20 ms', 'src/init/init.h', '#define KILL_AGAIN (20 * MS)'],
] as const;

test.each(NUMBERS)('%s: %s', (document, words, source, line) => {
  expect(page(document).replace(/\s+/g, ' ')).toContain(words);
  expect(page(source)).toContain(line);
});
