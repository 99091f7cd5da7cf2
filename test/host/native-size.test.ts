/** What each coordinator keeps of its own: one page more is 400 kB of 100 processes. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const PAGE = 4096;

interface Section {
  readonly name: string;
  readonly address: number;
  readonly size: number;
}

/** elf(5), 64 bits, little endian. */
function sectionsOf(elf: Buffer): readonly Section[] {
  const [table, size, count, names] = [
    Number(elf.readBigUInt64LE(0x28)),
    elf.readUInt16LE(0x3a),
    elf.readUInt16LE(0x3c),
    elf.readUInt16LE(0x3e),
  ];
  const header = (at: number): Buffer => elf.subarray(table + at * size, table + (at + 1) * size);
  const text = Number(header(names).readBigUInt64LE(0x18));
  return Array.from({ length: count }, (_, at) => {
    const found = header(at);
    const begin = text + found.readUInt32LE(0);
    const name = elf.toString('latin1', begin, elf.indexOf(0, begin));
    return { name, address: Number(found.readBigUInt64LE(0x10)), size: Number(found.readBigUInt64LE(0x20)) };
  });
}

const elf = readFileSync(join(import.meta.dirname, '../../dist/native/gsup'));
const sections = sectionsOf(elf);
const find = (name: string): Section | undefined => sections.find((section) => section.name === name);
/** EM_X86_64: on others the linker may begin elsewhere. */
const isX64 = elf.readUInt16LE(0x12) === 62;
// Without layout.ld, or with a C library that has more of its own, nothing is said of it.
const isLaidOut = isX64 && find('.resting') !== undefined && (find('.text')?.size ?? 0) < 150_000;

test.skipIf(!isLaidOut)('the variables that every coordinator writes to are on two pages', () => {
  const [data, bss] = [find('.data'), find('.bss')] as [Section, Section];
  const pages = Math.ceil((bss.address + bss.size) / PAGE) - Math.floor(data.address / PAGE);
  expect(pages).toBe(2);
});
