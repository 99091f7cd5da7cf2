/** Which task a client means (SPEC.md 5): the one that is named, else the one it is called from, else the only one that lives. */
import { findTaskFolders, type TaskFolder } from '../checkpoint/task-folders.ts';

export interface TaskQuestion {
  /** `--name`. */
  readonly name?: string | undefined;
  /** `--state-dir`. */
  readonly stateDir?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export type FoundTask =
  | { readonly kind: 'task'; readonly folder: TaskFolder }
  /** None lives that could be meant. */
  | { readonly kind: 'none'; readonly message: string }
  | { readonly kind: 'several'; readonly message: string };

export function findLiveTask({ name: asked, stateDir, env }: TaskQuestion): FoundTask {
  const uid = process.getuid?.() ?? -1;
  const folders = findTaskFolders({ option: stateDir, env, uid });
  const name = asked ?? (env.GSUP_TASK || undefined);
  const meant = name === undefined ? folders : folders.filter((folder) => folder.name === name);
  const living = meant.filter(({ live }) => live);
  const [folder] = living;
  if (folder !== undefined && living.length === 1) return { kind: 'task', folder };
  if (folder !== undefined) {
    const list = living.map((each) => `${each.name} (${each.path})`).join(', ');
    const message = `cannot choose a task: several are running: ${list}; name one with --name`;
    return { kind: 'several', message };
  }
  const ended = meant.length > 0 ? '; gsup status tells how the last one ended' : '';
  const what =
    name === undefined
      ? 'cannot find a task: none is running'
      : `cannot find a task "${name}": none of that name is running`;
  return { kind: 'none', message: `${what}${ended}` };
}
