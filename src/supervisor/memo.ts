/** What follows from a value that never changes, worked out once: a task can have a thousand processes. Pure to whoever asks. */

export function memo<K extends object, V>(work: (key: K) => V): (key: K) => V {
  const known = new WeakMap<K, { readonly value: V }>();
  return (key) => {
    const found = known.get(key) ?? { value: work(key) };
    known.set(key, found);
    return found.value;
  };
}
