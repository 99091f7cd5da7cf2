// Runs inside a mount namespace of its own, on a tmpfs of 256 kB: fills it with records, makes room, goes on. Prints JSON.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type JournalNews, openJournal } from '../../src/checkpoint/journal.ts';
import { repairLog } from '../../src/checkpoint/repair.ts';

const folder = process.argv[2] as string;
const news: JournalNews[] = [];
const clock = { nowNs: () => process.hrtime.bigint(), wallMs: () => Date.now() };
const path = join(folder, 'checkpoint.log');
const filler = join(folder, 'filler');

const readOnly = process.argv[3] === 'read-only';
if (!readOnly) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(filler, Buffer.alloc(220_000));
}
const opened = openJournal({ path, clock, report: (item) => news.push(item) });
if (opened.kind !== 'open') throw new Error('newer');
const { journal } = opened;
const given: number[] = [];
// What is left holds fewer than 700 records of this length, all of it holds them.
for (let i = 0; i < 700; i++) given.push(journal.append({ type: 'config', config_digest: `${i}` }));
if (!readOnly) rmSync(filler);
for (let i = 0; i < 3; i++) given.push(journal.append({ type: 'config', config_digest: 'after' }));
const log = readOnly ? undefined : repairLog(readFileSync(path));
const records = log?.entries.map((entry) => entry.record) ?? [];
const result = {
  news,
  last: given.at(-1),
  ascending: given.every((seq, i) => i === 0 || seq > (given[i - 1] as number)),
  lastSeq: log?.lastSeq,
  torn: log?.torn,
  damage: log?.damage,
  records: records.length,
  gaps: records.filter(({ type }) => type === 'gap').length,
};
process.stdout.write(JSON.stringify(result));
