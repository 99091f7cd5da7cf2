// Where the folders of tasks are (SPEC.md 5). Pure: which directories come into question, and whether one can be trusted.

export type StateDirQuestion = {
  /** The value of --state-dir. */
  option?: string | undefined;
  env: Readonly<Record<string, string | undefined>>;
  uid: number;
};
/** `named`: by the user, so that nothing else takes its place when it does not work. */
export type StateDirCandidate = { path: string; named: boolean };
/** What lstat says, of the directory itself and never of what a link points to. */
export type DirectoryFacts = { isDirectory: boolean; uid: number; mode: number };

/** Not listable: who does not know the name of a task shall not learn it here. */
export const stateDirMode = 0o711;
export const stateFileMode = 0o600;

/** In the order in which they are tried. An empty variable is as good as none. */
export function listStateDirs({ option, env, uid }: StateDirQuestion): StateDirCandidate[] {
  const named = option || env.GSUP_STATE_DIR;
  if (named) return [{ path: named, named: true }];
  const runtime = env.XDG_RUNTIME_DIR;
  return [
    ...(uid === 0 ? ['/run/gsup'] : []),
    // The XDG specification: a path that is not absolute is to be ignored.
    ...(runtime?.startsWith('/') ? [`${runtime}/gsup`] : []),
    `/tmp/gsup-${uid}`,
    `/dev/shm/gsup-${uid}`,
  ].map((path) => ({ path, named: false }));
}

/**
 * Says why a directory must not be used, or nothing. /tmp and /dev/shm are everybody's: somebody may have made the
 * directory before, to read along or to plant files. `owner` null: anybody, for root who looks at what it was pointed to.
 */
export function findStateDirProblem(facts: DirectoryFacts, owner: number | null): string | undefined {
  if (!facts.isDirectory) return 'not a directory';
  if (owner !== null && facts.uid !== owner) return `owned by uid ${facts.uid}, not ${owner}`;
  if (facts.mode & 0o022) return `writable by others (mode ${(facts.mode & 0o7777).toString(8)})`;
  return undefined;
}

/** The default directory of another user, and who that user must be; for root, who looks into all of them. */
export function ownerByPath(path: string): number | undefined {
  const match = /^(?:\/tmp\/gsup-|\/dev\/shm\/gsup-|\/run\/user\/)(\d+)(?:\/gsup)?$/.exec(path);
  return match ? Number(match[1]) : undefined;
}

/** What a task may be called: its name is a folder. */
export function isTaskName(name: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(name);
}
