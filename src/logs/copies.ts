/** Which copies a task's folder has. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Where the pump keeps the copies of a task. */
export function logsFolder(task: string): string {
  return join(task, 'logs');
}

/** Names of the processes whose output is kept. null: nothing was ever captured. */
export function listCopies(logs: string): string[] | null {
  try {
    const names = readdirSync(logs).map(processOfCopy);
    return [...new Set(names.filter((name) => PROCESS.test(name)))].sort();
  } catch {
    return null;
  }
}

const PROCESS = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/;

/** `web` for `web~1`, its older half. */
export function processOfCopy(file: string): string {
  return file.replace(/~1$/, '');
}
