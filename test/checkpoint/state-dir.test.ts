import { expect, test } from 'vitest';
import {
  findStateDirProblem,
  isTaskName,
  listStateDirs,
  ownerByPath,
} from '../../src/checkpoint/state-dir.ts';

const paths = (question: Parameters<typeof listStateDirs>[0]) =>
  listStateDirs(question).map(({ path }) => path);

test('the directories are tried in their order, /run/gsup only by root', () => {
  const env = { XDG_RUNTIME_DIR: '/run/user/1000' };
  expect(paths({ env, uid: 1000 })).toEqual(['/run/user/1000/gsup', '/tmp/gsup-1000', '/dev/shm/gsup-1000']);
  expect(paths({ env: {}, uid: 0 })).toEqual(['/run/gsup', '/tmp/gsup-0', '/dev/shm/gsup-0']);
});

test('one that was named stands alone; the command line wins; an empty one is none', () => {
  const env = { GSUP_STATE_DIR: '/env' };
  expect(listStateDirs({ option: '/option', env, uid: 0 })).toEqual([{ path: '/option', named: true }]);
  expect(listStateDirs({ env, uid: 0 })).toEqual([{ path: '/env', named: true }]);
  expect(paths({ option: '', env: { GSUP_STATE_DIR: '' }, uid: 7 })).toEqual([
    '/tmp/gsup-7',
    '/dev/shm/gsup-7',
  ]);
});

test('a runtime directory that is not absolute is ignored', () => {
  expect(paths({ env: { XDG_RUNTIME_DIR: 'run' }, uid: 7 })).not.toContain('run/gsup');
});

test.each([
  [{ isDirectory: true, uid: 7, mode: 0o40711 }, 7, undefined],
  [{ isDirectory: true, uid: 7, mode: 0o40700 }, 7, undefined],
  [{ isDirectory: true, uid: 8, mode: 0o40700 }, null, undefined],
  [{ isDirectory: false, uid: 7, mode: 0o120777 }, 7, 'not a directory'],
  [{ isDirectory: true, uid: 8, mode: 0o40711 }, 7, 'owned by uid 8, not 7'],
  [{ isDirectory: true, uid: 7, mode: 0o41777 }, 7, 'writable by others (mode 1777)'],
  [{ isDirectory: true, uid: 7, mode: 0o40770 }, null, 'writable by others (mode 770)'],
])('%j for owner %s: %s', (facts, owner, problem) => {
  expect(findStateDirProblem(facts, owner)).toBe(problem);
});

test.each([
  ['/tmp/gsup-1000', 1000],
  ['/dev/shm/gsup-7', 7],
  ['/run/user/1000/gsup', 1000],
  ['/tmp/gsup-evil', undefined],
  ['/tmp/gsup-1000/x', undefined],
])('the owner of %s has to be %s', (path, owner) => {
  expect(ownerByPath(path)).toBe(owner);
});

test.each(['web', 'web.2', '_x-y'])('%s is the name of a task', (name) =>
  expect(isTaskName(name)).toBe(true),
);
test.each(['', '.', '..', '.hidden', 'a/b', 'a b', '\u001b[31m'])('%j is not', (name) =>
  expect(isTaskName(name)).toBe(false),
);
