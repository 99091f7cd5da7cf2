import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { widthOf } from '../../src/report/width.ts';
import { newModel } from '../../src/top/model.ts';
import { render } from '../../src/top/render.ts';
import { type Frame, updateScreen } from '../../src/top/screen.ts';
import { update } from '../../src/top/update.ts';
import { createEmulator } from './emulator.ts';
import { anyEvent, anySize, anyStatus, modelOf, process, seen, statusOf } from './tasks.ts';

const textOf = (frame: Frame): string[] => frame.map((line) => line.map(({ text }) => text).join(''));

describe('the screen', () => {
  it('S64 fills any terminal exactly, whatever names, keys and sizes come, and obeys nothing of them', () => {
    fc.assert(
      fc.property(anySize, fc.array(anyEvent, { maxLength: 40 }), fc.boolean(), (size, events, colour) => {
        let model = newModel({ task: 'a\u001b[2Jb', size, sort: 'cpu', reversed: false });
        let drawn: Frame | null = null;
        let emulator = createEmulator(size);
        for (const event of events) {
          const step = update(model, event);
          if (event.kind === 'size') emulator = createEmulator(event.size);
          if (step.effects.some(({ kind }) => kind === 'repaint')) drawn = null;
          model = step.model;
          const frame = render(model);
          expect(frame).toHaveLength(model.size.rows);
          for (const text of textOf(frame)) expect(widthOf(text)).toBeLessThanOrEqual(model.size.columns);
          emulator.feed(updateScreen(drawn, frame, model.size, colour));
          drawn = frame;
          const wanted = textOf(frame).map((text) => text + ' '.repeat(model.size.columns - widthOf(text)));
          expect(emulator.rows()).toEqual(wanted);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('leaves out a mark that has no character to stand on', () => {
    const size = { columns: 40, rows: 2 };
    const emulator = createEmulator(size);
    emulator.feed(updateScreen(null, render(modelOf([process('\u0f71\u0301web')], size)), size, true));
    expect(emulator.rows()[1]).toMatch(/^web +running/);
  });

  it('gets nothing for a line that is as it was', () => {
    const size = { columns: 80, rows: 24 };
    const many = Array.from({ length: 1000 }, (_, at) => process(`web.${at + 1}`));
    const model = modelOf(many, size);
    const before = render(model);
    expect(updateScreen(before, render(update(model, seen(statusOf(many))).model), size, true)).toBe('');
    const changed = many
      .with(3, process('web.4', { state: 'failed' }))
      .with(900, process('web.901', { restarts: 7 }));
    const after = render(update(model, seen(statusOf(changed))).model);
    const sent = updateScreen(before, after, size, true);
    // Of 1,000 two have changed, one of which is on the screen; the summary counts states.
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they say which line is drawn
    expect([...sent.matchAll(/\u001b\[(\d+);1H/g)].map(([, row]) => Number(row))).toEqual([2, 7]);
    expect(sent.length).toBeLessThan(3 * size.columns);
  });

  it('is without colour where none is wanted, and shows who is chosen all the same', () => {
    fc.assert(
      fc.property(anyStatus, (status) => {
        const model = update(modelOf([process('web')]), seen(status)).model;
        const sent = updateScreen(null, render(model), model.size, false);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
        const codes = new Set([...sent.matchAll(/\u001b\[([\d;]*)m/g)].map(([, code]) => code));
        expect([...codes].filter((code) => !['0', '1', '7'].includes(code ?? ''))).toEqual([]);
      }),
    );
  });
});
