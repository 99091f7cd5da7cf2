import { readdirSync, readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { configSchema } from '../../src/config/json-schema.ts';
import { HEALTH_KEYS, PROCESS_KEYS, READY_KEYS, STOP_KEYS, TASK_KEYS } from '../../src/config/keys.ts';
import { printConfig } from '../../src/config/print-config.ts';
import { configOf, loadText } from './written.ts';

const validate = new Ajv2020({
  allErrors: true,
  strict: true,
  allowUnionTypes: true,
  validateFormats: false,
}).compile(configSchema());

/** What a validator, which knows nothing of gsup, has against a config. */
function faultsOf(text: string): string[] {
  validate(parse(text, { merge: true }));
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

const examples = new URL('../../examples/up/', import.meta.url);
const configs = readdirSync(examples).filter((name) => /\.ya?ml$/.test(name));

describe('the JSON Schema', () => {
  it.each(configs)('takes examples/up/%s', (name) => {
    expect(faultsOf(readFileSync(new URL(name, examples), 'utf8'))).toEqual([]);
  });

  it('takes what check --print prints', () => {
    const text = `
name: a
main: web
stop_budget: 1m
processes:
  db: {command: [db], umask: 022, ulimits: {nofile: 5}, ready: {tcp: 1}, healthcheck: {exec: x, watchdog: 1s}, on_signal: {HUP: drop}}
  web: {command: "x $$Y", depends_on: [db], user: 5, memory_limit: 1g, stop: {ladder: [TERM:1s, {wait: 0}]}, logging: {driver: file, path: x}}
`;
    expect(faultsOf(printConfig(configOf(loadText(text))))).toEqual([]);
  });

  it.each([
    'processes: {a: {command: x, x-mine: 1}, x-all: 5}\nx-top: {}',
    'processes: {a: {command: [sleep, 30], environment: {A: 1, B: true, C: null}}}',
    'processes: {a: {command: x, environment: [A=1, B], env_file: f, stop: {grace: 0, hold: forever}}}',
    'processes: {a: {command: x, healthcheck: {test: [CMD-SHELL, y], disable: true}, restart: on-failure:3}}',
  ])('takes %s', (text) => {
    expect(faultsOf(text)).toEqual([]);
    expect(configOf(loadText(text.replace('env_file: f, ', ''))).processes).toHaveLength(1);
  });

  it.each([
    '{}',
    'processes: {a: {}}',
    'processes: {a: {comand: x}}',
    'processes: {a: {command: x, stop: {grace: 8}}}',
    'processes: {a: {command: x, stop: {grace: soon}}}',
    'processes: {a: {command: x, daemon: perhaps}}',
    'processes: {a: {command: x, replicas: 0}}',
    'processes: {a: {command: x, restart: sometimes}}',
    'processes: {a: {command: x, depends_on: {b: {condition: nice}}}}',
    'processes: {a: {command: x, stop: {ladder: [{signl: x}]}}}',
    'processes: {a: {command: x, memory_limit: 512}}',
    'exit_when: never\nprocesses: {a: {command: x}}',
  ])('refuses %s, as gsup does', (text) => {
    expect(faultsOf(text)).not.toEqual([]);
    expect(loadText(text).kind).toBe('problems');
  });

  it('has a description for every key, and each default as gsup has it', () => {
    const text = JSON.stringify(configSchema());
    for (const table of [TASK_KEYS, PROCESS_KEYS, STOP_KEYS, READY_KEYS, HEALTH_KEYS])
      for (const { help } of Object.values(table)) expect(text).toContain(JSON.stringify(help));
    expect(text).toContain('"default":"8s"');
    expect(text).toContain('"default":false');
  });
});
