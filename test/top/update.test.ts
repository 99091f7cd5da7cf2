import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chosenOf } from '../../src/top/choose.ts';
import { layoutFor } from '../../src/top/layout.ts';
import { type Model, SIGNALS_OFFERED, type TopEffect } from '../../src/top/model.ts';
import { render } from '../../src/top/render.ts';
import { shownProcesses } from '../../src/top/sort.ts';
import { update } from '../../src/top/update.ts';
import { anyEvent, modelOf, NOW_MS, press, process, STOPPING, seen, statusOf } from './tasks.ts';

const WEB = ['web.1', 'web.2', 'web.10'].map((name) => process(name));

function effectsOf(model: Model, key: string): readonly TopEffect[] {
  return update(model, { kind: 'key', key }).effects;
}

function screen(model: Model): string[] {
  return render(model).map((line) =>
    line
      .map(({ text }) => text)
      .join('')
      .trimEnd(),
  );
}

const names = (model: Model): string[] => shownProcesses(model).map(({ name }) => name);

describe('what stops something', () => {
  it.each([
    ['s', 'stop'],
    ['r', 'restart'],
    ['d', 'drain'],
  ])('%s asks first, and only y is yes', (key, act) => {
    const asked = press(modelOf(WEB), 'down', key);
    expect(screen(asked).at(-1)).toBe(`${act} web.2? [y/N]`);
    expect(effectsOf(asked, 'y')).toEqual([{ kind: 'ask', act, process: 'web.2', signal: null }]);
    for (const no of ['enter', 'n', 'escape', 'q', key, ' ']) expect(effectsOf(asked, no)).toEqual([]);
    expect(press(asked, 'enter').view.kind).toBe('table');
  });

  it('a signal is chosen from a list that begins with SIGTERM, and Enter sends it', () => {
    const asked = press(modelOf(WEB), 'k');
    expect(effectsOf(asked, 'enter')).toEqual([
      { kind: 'ask', act: 'signal', process: 'web.1', signal: 'SIGTERM' },
    ]);
    expect(effectsOf(press(asked, 'home'), 'enter')).toMatchObject([{ signal: 'SIGHUP' }]);
    expect(effectsOf(press(asked, 'end'), 'enter')).toMatchObject([{ signal: SIGNALS_OFFERED.at(-1) }]);
    expect(effectsOf(asked, 'escape')).toEqual([]);
    expect(press(asked, 'escape').view.kind).toBe('table');
  });

  it('is never about anybody but who stood in the question, whatever moves meanwhile', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 60 }), (events) => {
        let model = modelOf(WEB, { columns: 200, rows: 24 });
        for (const event of events) {
          const { view } = model;
          const step = update(model, event);
          for (const effect of step.effects) {
            if (effect.kind !== 'ask') continue;
            if (effect.act === 'start') expect(effect.process).toBe(chosenOf(model)?.process.name);
            else
              expect(view).toMatchObject({
                kind: effect.act === 'signal' ? 'signals' : 'question',
                process: effect.process,
              });
          }
          model = step.model;
        }
      }),
    );
  });

  it('is asked whole, also where a terminal is narrow', () => {
    const long = process(`web-${'x'.repeat(40)}.7`);
    const asked = press(modelOf([long], { columns: 20, rows: 5 }), 's');
    expect(screen(asked).join('')).toContain(`stop ${long.name}? [y/N]`);
  });
});

describe('the table', () => {
  it('follows a process by its name, and takes its place when it is gone', () => {
    const chosen = press(modelOf(WEB), 'down');
    const turned = update(chosen, seen(statusOf([...WEB.slice(1), ...WEB.slice(0, 1)]))).model;
    expect(chosenOf(turned)?.process.name).toBe('web.2');
    const gone = update(chosen, seen(statusOf([process('web.1'), process('web.10')]))).model;
    expect(chosenOf(gone)?.process.name).toBe('web.10');
  });

  it('stays with who is first until somebody chooses', () => {
    const byCpu = press(modelOf(WEB), 'C');
    const busy = statusOf([process('web.1'), process('web.2'), process('web.10', { cpu_pct: 80 })]);
    const later = update(byCpu, seen(busy)).model;
    expect(chosenOf(later)).toMatchObject({ at: 0, process: { name: 'web.10' } });
    expect(later.from).toBe(0);
  });

  it('always shows who is chosen, and leaves no row empty', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 60 }), (events) => {
        let model = modelOf(WEB);
        for (const event of events) {
          model = update(model, event).model;
          const { body } = layoutFor(model.size);
          const count = shownProcesses(model).length;
          const at = chosenOf(model)?.at ?? 0;
          if (body > 0 && count > 0) {
            expect(at).toBeGreaterThanOrEqual(model.from);
            expect(at).toBeLessThan(model.from + body);
            expect(model.from).toBeLessThanOrEqual(Math.max(0, count - body));
          }
        }
      }),
    );
  });

  it('scrolls through 1,000 processes', () => {
    const many = Array.from({ length: 1000 }, (_, at) => process(`web.${at + 1}`));
    const model = modelOf(many);
    expect(screen(press(model, 'end')).some((line) => line.startsWith('web.1000 '))).toBe(true);
    expect(chosenOf(press(model, 'pagedown', 'pagedown'))?.at).toBe(2 * (layoutFor(model.size).body - 1));
    expect(chosenOf(press(model, 'end', 'home'))?.at).toBe(0);
  });

  it('sorts by a column, the other way round with the same key again, and finds names', () => {
    const model = modelOf([
      process('b', { cpu_pct: 1 }),
      process('a', { cpu_pct: 9 }),
      process('a2', { cpu_pct: null }),
    ]);
    expect(names(press(model, 'C'))).toEqual(['a', 'b', 'a2']);
    expect(names(press(model, 'C', 'C'))).toEqual(['a2', 'b', 'a']);
    expect(names(press(modelOf(WEB), 'N', 'I'))).toEqual(['web.10', 'web.2', 'web.1']);
    expect(names(press(model, '>'))).toEqual(['a', 'a2', 'b']);
    expect(names(press(model, '>', '<'))).toEqual(['b', 'a', 'a2']);
    expect(names(press(model, '/', 'A', 'enter'))).toEqual(['a', 'a2']);
    expect(names(press(model, '/', 'z', 'escape'))).toEqual(['b', 'a', 'a2']);
    expect(names(press(model, '/', 'a', '2', 'backspace', 'enter', 'escape'))).toEqual(['b', 'a', 'a2']);
  });
});

describe('what is shown', () => {
  it('of a stop: how long it may still take, also in 20 columns and 5 rows', () => {
    const stop = {
      requested_at: new Date(NOW_MS).toISOString(),
      cause: 'signal',
      deadline_at: null,
    } as const;
    const processes = [process('web.1', STOPPING), process('db')];
    const wide = screen(modelOf(processes, { columns: 120, rows: 24 }, { state: 'cleaning', stop }));
    expect(wide[0]).toBe(
      'shop: cleaning, stop waits at most 7.9s until the next rung, for web.1, pid 1, for 1m 0s',
    );
    expect(wide[3]).toMatch(/^web\.1 +stopping 7\.9s /);
    expect(wide.at(-2)).toBe('web.1#1: stopping: SIGTERM, waits for sh (7), 7.9s left; pid 100');
    const tiny = screen(modelOf(processes, { columns: 20, rows: 5 }, { state: 'cleaning', stop }));
    expect(tiny).toEqual([
      'shop: cleaning, sto+',
      'PROC+  STATE',
      'web.1  stopping 7.9s',
      'db     running',
      '? help  q quit',
    ]);
  });

  it('of a supervisor that does not answer: that it does not', () => {
    const model = modelOf(WEB);
    const silent = 'its supervisor does not answer, asking again';
    const event = { ...seen(statusOf(WEB)), silent } as Parameters<typeof update>[1];
    expect(screen(update(model, event).model)[0]).toContain(`shop: active, ${silent}`);
  });

  it('of a status that is long in coming: that it is', () => {
    const late = update(modelOf(WEB), { kind: 'late' }).model;
    expect(screen(late)[0]).toContain('shop: active, its supervisor has not answered yet');
    expect(screen(update(late, seen(statusOf(WEB))).model)[0]).toMatch(/^shop: active, pid 1/);
  });

  it('what a request came to, until it has been read', () => {
    const answered = update(modelOf(WEB), { kind: 'answer', text: 'stopping web.1', good: true });
    expect(answered.effects).toEqual([{ kind: 'look' }]);
    expect(screen(answered.model).at(-1)).toBe('stopping web.1');
    const later = update(answered.model, seen(statusOf(WEB), NOW_MS + 60_000)).model;
    expect(screen(later).at(-1)).toMatch(/^\? help {2}q quit/);
  });

  it('of output: the last lines, and those before them by scrolling, which new ones do not move', () => {
    const lines = Array.from({ length: 50 }, (_, at) => `line ${at}`);
    const open = press(modelOf(WEB, { columns: 40, rows: 8 }), 'l');
    const told = update(open, { kind: 'output', process: 'web.1', lines, why: '' }).model;
    expect(screen(told)).toContain('line 49');
    const back = press(told, 'pageup', 'pageup');
    const before = screen(back).filter((line) => line.startsWith('line'));
    const grown = update(back, { kind: 'output', process: 'web.1', lines: ['new', 'newer'], why: '' }).model;
    expect(screen(grown).filter((line) => line.startsWith('line'))).toEqual(before);
    expect(screen(press(grown, 'end'))).toContain('newer');
    expect(effectsOf(grown, 'q')).toEqual([{ kind: 'close-output' }]);
    const other = update(open, { kind: 'output', process: 'web.2', lines: ['of another'], why: '' }).model;
    expect(screen(other)).not.toContain('of another');
  });

  it('keys, all of them by scrolling', () => {
    const help = press(modelOf(WEB, { columns: 60, rows: 10 }), '?');
    expect(screen(help).join('\n')).toContain('stop it, with its ladder');
    expect(screen(press(help, 'end')).join('\n')).toContain('leave; the task goes on');
    expect(press(help, 'q').view.kind).toBe('table');
  });
});
