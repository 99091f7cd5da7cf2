import { describe, expect, it } from 'vitest';
import { configOf, load, loadText, problemsOf } from './written.ts';

const WEB = 'processes: {web: {command: [app]}}';

describe('loadConfig', () => {
  it.each(['gsup.yaml', 'gsup.yml', 'gsup.json'])('finds %s', (name) => {
    const json = '{\n\t"processes": {\n\t\t"web": {"command": ["app"]}\n\t}\n}\n';
    expect(configOf(load({ [name]: name.endsWith('json') ? json : WEB })).processes[0]?.name).toBe('web');
  });

  it('takes the first of several', () => {
    const files = { Procfile: 'p: x', 'gsup.json': '{}', 'gsup.yml': '{}', 'gsup.yaml': WEB };
    expect(configOf(load(files)).processes.map(({ name }) => name)).toEqual(['web']);
  });

  it('says which files it has looked for', () => {
    expect(problemsOf(load({}))).toEqual([
      'cannot read a config: one of gsup.yaml, gsup.yml, gsup.json, Procfile is needed in "/app", got none; or name one with -f FILE',
    ]);
  });

  it('reads standard input', () => {
    const config = configOf(load({}, { files: ['-'], readStdin: () => WEB }));
    expect(config).toMatchObject({ name: 'app', processes: [{ name: 'web' }] });
  });

  it.each([
    [['sub/x.yaml'], 'sub'],
    [['/other/x.yaml'], 'other'],
    [['x.yaml'], 'app'],
  ])('names the task after the folder of %s', (files, name) => {
    const text = { 'sub/x.yaml': WEB, '/other/x.yaml': WEB, 'x.yaml': WEB };
    expect(configOf(load(text, { files })).name).toBe(name);
  });

  it('puts a second file over the first', () => {
    const files = {
      'a.yaml': 'stop_budget: 10s\nprocesses: {web: {command: [app], nice: 1, environment: {A: 1, B: 2}}}',
      'b.yaml': 'max_failures: 3\nprocesses: {web: {nice: 2, environment: {B: 3}}, db: {command: [db]}}',
    };
    const config = configOf(load(files, { files: ['a.yaml', 'b.yaml'] }));
    expect(config).toMatchObject({ stopBudgetMs: 10_000, maxFailures: 3 });
    const [web, db] = config.processes;
    expect(web?.launch).toMatchObject({ argv: ['app'], nice: 2, envSet: { A: '1', B: '3' } });
    expect(db?.launch.argv).toEqual(['db']);
  });

  it('reports all problems at once, each with its place, from top to bottom', () => {
    const text = [
      'nmae: x',
      'stop_budget: 10',
      'processes:',
      '  web:',
      '    comand: x',
      '    restart: alway',
      '    stop: {signl: TERM, grace: 8}',
      '    depends_on: [db, wep]',
      '  db: {command: [x], depends_on: {web: {condition: nice}}}',
    ];
    expect(problemsOf(loadText(text.join('\n')))).toEqual([
      'gsup.yaml:1:1: cannot use "nmae": there is no such key; did you mean name?',
      'gsup.yaml:2:14: cannot use "stop_budget": a positive duration like 500ms, 8s or 1m30s is needed, got "10"; write 10s',
      'gsup.yaml:4:3: cannot use "processes.web.command": a command, as a text (for a shell) or a list, is needed, got nothing',
      'gsup.yaml:5:5: cannot use "processes.web.comand": there is no such key; did you mean command?',
      'gsup.yaml:6:14: cannot use "processes.web.restart": no, on-failure or always is needed, got "alway"',
      'gsup.yaml:7:12: cannot use "processes.web.stop.signl": there is no such key; did you mean signal?',
      'gsup.yaml:7:32: cannot use "processes.web.stop.grace": a duration like 500ms, 8s, 1m30s, 0 or forever is needed, got "8"; write 8s',
      'gsup.yaml:8:22: cannot use "processes.web.depends_on[1]": there is no process "wep"; did you mean web?',
      'gsup.yaml:9:52: cannot use "processes.db.depends_on.web.condition": started, ready, healthy or completed_successfully is needed, got "nice"',
    ]);
  });
});
