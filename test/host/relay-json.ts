/** JSON with bigints, as the news of a host have them. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_, item) => (typeof item === 'bigint' ? { $ns: `${item}` } : item));
}

export function fromJson(text: string): unknown {
  return JSON.parse(text, (_, item) =>
    typeof item === 'object' && item !== null && typeof item.$ns === 'string' ? BigInt(item.$ns) : item,
  );
}
