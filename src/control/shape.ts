/** The part of JSON Schema that requests need: the document shows the same objects that the server checks with. Pure. */

export type Shape =
  | {
      readonly type: 'object';
      readonly properties: Readonly<Record<string, Shape>>;
      readonly required?: readonly string[];
      readonly additionalProperties: false;
      readonly description?: string;
    }
  /** Names that are not known beforehand. */
  | {
      readonly type: 'object';
      readonly additionalProperties: Shape;
      readonly minProperties?: number;
      readonly maxProperties: number;
      readonly description?: string;
    }
  | { readonly type: 'boolean'; readonly description?: string }
  | {
      readonly type: 'integer';
      readonly minimum: number;
      readonly maximum: number;
      readonly description?: string;
    }
  | {
      readonly type: 'string';
      readonly maxLength: number;
      readonly enum?: readonly string[];
      readonly description?: string;
    };

/** What is wrong with a value, as a sentence without its subject; null: nothing. */
export function findShapeProblem(shape: Shape, value: unknown, path = 'the body'): string | null {
  switch (shape.type) {
    case 'boolean':
      return typeof value === 'boolean' ? null : `${path} must be true or false, got ${shown(value)}`;
    case 'integer': {
      const { minimum, maximum } = shape;
      const fits =
        Number.isSafeInteger(value) && (value as number) >= minimum && (value as number) <= maximum;
      return fits
        ? null
        : `${path} must be a whole number from ${minimum} to ${maximum}, got ${shown(value)}`;
    }
    case 'string':
      return findStringProblem(shape, value, path);
    case 'object':
      return findObjectProblem(shape, value, path);
  }
}

function findStringProblem(
  shape: Extract<Shape, { type: 'string' }>,
  value: unknown,
  path: string,
): string | null {
  if (typeof value !== 'string') return `${path} must be a text, got ${shown(value)}`;
  if (value.length > shape.maxLength) return `${path} must have at most ${shape.maxLength} characters`;
  if (shape.enum === undefined || shape.enum.includes(value)) return null;
  return `${path} must be one of ${shape.enum.join(', ')}, got ${shown(value)}`;
}

function findObjectProblem(
  shape: Extract<Shape, { type: 'object' }>,
  value: unknown,
  path: string,
): string | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return `${path} must be a JSON object, got ${shown(value)}`;
  const entries = Object.entries(value);
  const inside = (name: string) => (path === 'the body' ? shown(name) : `${path}, ${shown(name)}`);
  if (!('properties' in shape)) {
    if (entries.length < (shape.minProperties ?? 0)) return `${path} must not be empty`;
    if (entries.length > shape.maxProperties)
      return `${path} must have at most ${shape.maxProperties} members`;
    return first(entries, ([name, item]) => findShapeProblem(shape.additionalProperties, item, inside(name)));
  }
  const missing = shape.required?.find((name) => !Object.hasOwn(value, name));
  if (missing !== undefined) return `${path} must have a member ${shown(missing)}`;
  return first(entries, ([name, item]) => {
    const own = Object.hasOwn(shape.properties, name) ? shape.properties[name] : undefined;
    if (own !== undefined) return findShapeProblem(own, item, inside(name));
    const known = Object.keys(shape.properties).map(shown).join(', ') || 'none';
    return `${path} has a member ${shown(name)}, which is not known; known: ${known}`;
  });
}

function first<T>(items: readonly T[], find: (item: T) => string | null): string | null {
  for (const item of items) {
    const found = find(item);
    if (found !== null) return found;
  }
  return null;
}

/** What came, at a length that can be read. */
function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}
