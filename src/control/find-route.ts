/** From a method and a URL to a route, or to what is wrong with it. Pure. */
import { type HttpAnswer, problem } from './answer.ts';
import type { Asked, QueryRow, Route } from './routes.ts';

export type FoundRoute =
  | { readonly route: Route; readonly name: string; readonly query: Asked['query'] }
  | { readonly wrong: HttpAnswer };

/** HEAD is GET without the body, which Node leaves out. */
export function findRoute(routes: readonly Route[], method: string, url: string): FoundRoute {
  const [path = '', search = ''] = url.split(/\?(.*)/s);
  const there = routes.flatMap((route) => {
    const name = matchPath(route.path, path);
    return name === null ? [] : [{ route, name }];
  });
  if (there.length === 0) {
    const known = [...new Set(routes.map((route) => route.path))].join(', ');
    return wrong(404, 'no-such-route', `there is nothing at ${shown(path)}`, `there is ${known}`);
  }
  const found = there.find(({ route }) => route.method === (method === 'HEAD' ? 'GET' : method));
  if (found === undefined) {
    const allow = [...new Set(there.map(({ route }) => route.method))].join(', ');
    const hint = `it takes ${allow}`;
    return {
      wrong: problem(405, 'method-not-allowed', `${shown(path)} does not take ${shown(method)}`, hint, {
        allow,
      }),
    };
  }
  const query = readQuery(found.route.query ?? [], search);
  return typeof query === 'string'
    ? wrong(400, 'bad-request', query, queryHint(found.route))
    : { ...found, query };
}

/** What stands for `{name}`, '' where there is none; null: another path. */
function matchPath(pattern: string, path: string): string | null {
  const parts = pattern.split('/');
  const given = path.split('/');
  if (parts.length !== given.length) return null;
  let name = '';
  for (const [at, part] of parts.entries()) {
    const text = given[at] ?? '';
    if (part !== '{name}') {
      if (part !== text) return null;
      continue;
    }
    const decoded = decode(text);
    if (decoded === null || decoded === '') return null;
    name = decoded;
  }
  return name;
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

function readQuery(rows: readonly QueryRow[], search: string): Asked['query'] | string {
  const query: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(search)) {
    const row = rows.find((each) => each.name === name);
    if (row === undefined) return `the query has ${shown(name)}, which is not known`;
    if (row.values !== undefined && !row.values.includes(value))
      return `${name} must be ${row.values.join(' or ')}, got ${shown(value)}`;
    query[name] = value;
  }
  return query;
}

function queryHint({ query = [] }: Route): string {
  return query.length === 0 ? 'it takes none' : `it takes ${query.map(({ name }) => name).join(', ')}`;
}

function wrong(...what: Parameters<typeof problem>): FoundRoute {
  return { wrong: problem(...what) };
}

function shown(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}...` : text);
}
