import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import * as wire from '../../src/host/protocol.ts';

/** Another machine's compiler, and what runs its programs here: scripts/test-arm64.sh. */
const [cc = '', ...flags] = (process.env.GSUP_CC ?? 'cc').split(' ');
const emulator = process.env.GSUP_EMULATOR === undefined ? [] : [process.env.GSUP_EMULATOR];

const header = new URL('../../src/init/protocol.h', import.meta.url).pathname;

/** Layout in TypeScript and the C struct of the same shape. */
const structs = {
  head: wire.head,
  rung: wire.rung,
  order: wire.order,
  limit: wire.limit,
  spawn: wire.spawn,
  rung_request: wire.rung_request,
  signal_request: wire.signal_request,
  key_request: wire.key_request,
  exit_request: wire.exit_request,
  upgrade_request: wire.upgrade_request,
  seen: wire.seen,
  leaving: wire.leaving,
  log_place: wire.log_place,
  place: wire.place,
  hello: wire.hello,
  asks: wire.asks,
  sync: wire.sync,
  bytes: wire.bytes,
  counts: wire.counts,
  usage: wire.usage,
  run_state: wire.run_state,
};

const numbers: Record<string, number> = {
  PROTOCOL_VERSION: wire.PROTOCOL_VERSION,
  FRAME_MAX: wire.FRAME_MAX,
  RUNGS_MAX: wire.RUNGS_MAX,
  LIMITS_MAX: wire.LIMITS_MAX,
  NAME_SIZE: wire.NAME_SIZE,
  PIDS_MAX: wire.PIDS_MAX,
  INSTALLATION_SIZE: wire.INSTALLATION_SIZE,
  FOLDER_SIZE: wire.FOLDER_SIZE,
  SIGNAL_MAP_SIZE: wire.SIGNAL_MAP_SIZE,
  SIGNAL_AS_RECEIVED: wire.SIGNAL_AS_RECEIVED,
  NOT_STOPPING: wire.NOT_STOPPING,
  NO_SIGNAL: 0,
  ...wire.frameType,
  ...wire.rungFlag,
  ...wire.orderFlag,
  ...wire.spawnFlag,
  ...wire.helloFlag,
  ...wire.runFlag,
  ...wire.notifyFlag,
  ...Object.fromEntries(wire.targets.map((name, i) => [`TARGET_${name.toUpperCase()}`, i])),
  ...Object.fromEntries(wire.outputs.map((name, i) => [`OUTPUT_${name.toUpperCase()}`, i])),
  ...Object.fromEntries(wire.phases.map((name, i) => [`PHASE_${name.toUpperCase()}`, i + 1])),
  ...Object.fromEntries(wire.stages.map((name, i) => [`STAGE_${name.toUpperCase()}`, i + 1])),
};

/** Only between init and a coordinator: not spoken here. */
const notSpoken = ['LINK', 'RECORD', 'ALONE', 'FORWARD', 'link', 'alone', 'forward', 'record_frame'];

test('every struct of protocol.h has the size and the offsets that the codec uses', () => {
  const prints = Object.entries(structs).flatMap(([name, layout]) => [
    `printf("${name} %zu\\n", sizeof(struct ${name}));`,
    ...Object.keys(layout.offsets).map(
      (member) => `printf("${name}.${member} %zu\\n", offsetof(struct ${name}, ${member}));`,
    ),
  ]);
  const expected = Object.entries(structs).flatMap(([name, layout]) => [
    `${name} ${layout.size}`,
    ...Object.entries(layout.offsets).map(([member, offset]) => `${name}.${member} ${offset}`),
  ]);
  expect(runC(prints)).toEqual(expected);
});

test('every struct of protocol.h is known to the codec, with all its members', () => {
  const declared = [...headerText().matchAll(/^struct (\w+) \{(.*?)\n?\};/gms)];
  const members = declared.map(([, name, body]) => [name, memberNames(body ?? '')] as const);
  const known = Object.entries(structs).map(([name, layout]) => [name, Object.keys(layout.offsets)] as const);
  expect(Object.fromEntries(members.filter(([name]) => !notSpoken.includes(name ?? '')))).toEqual(
    Object.fromEntries(known),
  );
});

test('every number of protocol.h is the one that the codec uses', () => {
  const names = enumNames().filter((name) => !notSpoken.includes(name));
  expect([...names].sort()).toEqual(Object.keys(numbers).sort());
  const prints = names.map((name) => `printf("${name} %llu\\n", (unsigned long long)(uint32_t)${name});`);
  expect(runC(prints)).toEqual(names.map((name) => `${name} ${numbers[name]}`));
});

test('FOREVER and the resource numbers are those of C', () => {
  const names = Object.keys(wire.resources);
  const prints = [
    'printf("%llu\\n", (unsigned long long)FOREVER);',
    ...names.map((name) => `printf("${name} %d\\n", RLIMIT_${name.toUpperCase()});`),
  ];
  expect(runC(prints)).toEqual([
    `${wire.FOREVER}`,
    ...names.map((name) => `${name} ${wire.resources[name]}`),
  ]);
});

function headerText(): string {
  return execFileSync(cc, ['-E', '-P', header], { encoding: 'utf8' });
}

function memberNames(body: string): string[] {
  return body
    .split(';')
    .map((declaration) => declaration.trim())
    .filter((declaration) => declaration !== '')
    .flatMap((declaration) =>
      declaration
        .replace(/^(struct )?\w+\s+/, '')
        .split(',')
        .map((name) => name.trim().replace(/\[.*/, '')),
    );
}

function enumNames(): string[] {
  return [...headerText().matchAll(/enum\s*\w*\s*\{(.*?)\}/gs)].flatMap(([, body]) =>
    (body ?? '')
      .split(',')
      .map((item) => item.trim().replace(/\s*=.*/s, ''))
      .filter((name) => name !== ''),
  );
}

function runC(statements: readonly string[]): string[] {
  const dir = mkdtempSync(join(tmpdir(), 'gsup-layout-'));
  try {
    const source = [
      '#define _GNU_SOURCE',
      '#include <stdio.h>',
      '#include <stddef.h>',
      '#include <sys/resource.h>',
      `#include "${header}"`,
      `int main(void) { ${statements.join('\n')} return 0; }`,
    ];
    writeFileSync(join(dir, 'layout.c'), `${source.join('\n')}\n`);
    execFileSync(cc, [...flags, '-o', join(dir, 'layout'), join(dir, 'layout.c')]);
    const [program = '', ...words] = [...emulator, join(dir, 'layout')];
    return execFileSync(program, words, { encoding: 'utf8' }).trim().split('\n');
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
