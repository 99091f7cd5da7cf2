/**
 * C structs of fixed layout: little endian, natural alignment. A layout is a value, so that a test can compare its
 * offsets with those of the compiler.
 */
export interface Layout<T> {
  readonly size: number;
  readonly align: number;
  /** Only of a struct: where each member lies. */
  readonly offsets?: Readonly<Record<string, number>>;
  read(view: DataView, at: number): T;
  write(view: DataView, at: number, value: T): void;
}

export type ValueOf<L> = L extends Layout<infer T> ? T : never;

export const u8: Layout<number> = {
  size: 1,
  align: 1,
  read: (view, at) => view.getUint8(at),
  write: (view, at, value) => view.setUint8(at, value),
};

export const u16: Layout<number> = {
  size: 2,
  align: 2,
  read: (view, at) => view.getUint16(at, true),
  write: (view, at, value) => view.setUint16(at, value, true),
};

export const u32: Layout<number> = {
  size: 4,
  align: 4,
  read: (view, at) => view.getUint32(at, true),
  write: (view, at, value) => view.setUint32(at, value, true),
};

export const i32: Layout<number> = {
  size: 4,
  align: 4,
  read: (view, at) => view.getInt32(at, true),
  write: (view, at, value) => view.setInt32(at, value, true),
};

export const u64: Layout<bigint> = {
  size: 8,
  align: 8,
  read: (view, at) => view.getBigUint64(at, true),
  write: (view, at, value) => view.setBigUint64(at, value, true),
};

/** `char[size]` with a NUL somewhere in it. What does not fit is cut between two characters. */
export function text(size: number): Layout<string> {
  return {
    size,
    align: 1,
    read: (view, at) => {
      const bytes = new Uint8Array(view.buffer, view.byteOffset + at, size);
      const end = bytes.indexOf(0);
      return new TextDecoder('utf-8', { ignoreBOM: true }).decode(end < 0 ? bytes : bytes.subarray(0, end));
    },
    write: (view, at, value) => {
      const bytes = new Uint8Array(view.buffer, view.byteOffset + at, size).fill(0);
      new TextEncoder().encodeInto(value, bytes.subarray(0, size - 1));
    },
  };
}

export function array<T>(item: Layout<T>, count: number): Layout<readonly T[]> {
  return {
    size: item.size * count,
    align: item.align,
    read: (view, at) => Array.from({ length: count }, (_, i) => item.read(view, at + i * item.size)),
    // Items that are not given stay as they are: zero, in a new frame.
    write: (view, at, values) => {
      // Without an iterator: a supervisor's code is not optimized, and each start has 72 of these for its signals alone.
      for (let i = 0; i < Math.min(values.length, count); i++)
        item.write(view, at + i * item.size, values[i] as T);
    },
  };
}

/** Members in the order of the C declaration. `pad` members are named there, and are not values here. */
export function struct<T extends object>(
  members: {
    readonly [K in keyof T]: Layout<T[K]>;
  },
): Layout<Omit<T, 'pad'>> & { readonly offsets: Readonly<Record<string, number>> } {
  const offsets: Record<string, number> = {};
  let end = 0;
  let align = 1;
  for (const [name, member] of entries(members)) {
    offsets[name] = roundUp(end, member.align);
    end = roundUp(end, member.align) + member.size;
    align = Math.max(align, member.align);
  }
  const values = entries(members).filter(([name]) => name !== 'pad');
  return {
    size: roundUp(end, align),
    align,
    offsets,
    read: (view, at) =>
      Object.fromEntries(values.map(([name, m]) => [name, m.read(view, at + (offsets[name] ?? 0))])) as never,
    write: (view, at, value) => {
      for (const [name, m] of values) {
        m.write(view, at + (offsets[name] ?? 0), (value as Record<string, unknown>)[name]);
      }
    },
  };
}

function entries(members: object): readonly (readonly [string, Layout<unknown>])[] {
  return Object.entries(members);
}

function roundUp(n: number, align: number): number {
  return Math.ceil(n / align) * align;
}
