/** Which of the files in a folder says best what is to run. Pure. */

/** These say it for one container; what comes first is nearer to that. */
const IMPORTED = [
  'supervisord.conf',
  'supervisor.conf',
  'ecosystem.config.js',
  'ecosystem.config.cjs',
  'ecosystem.config.mjs',
  'ecosystem.json',
  'Procfile',
] as const;

/** These describe several containers. */
const COMPOSE = ['compose.yaml', 'compose.yml', 'docker-compose.yaml', 'docker-compose.yml'] as const;

export const CONFIGS = ['gsup.yaml', 'gsup.yml', 'gsup.json'] as const;

export type Source =
  | { readonly kind: 'import'; readonly file: string }
  | { readonly kind: 'package' | 'dockerfile'; readonly file: string };

/** In the order in which they are tried: the first one that says a command is it. */
export function sourcesIn(files: ReadonlySet<string>): Source[] {
  const there = (names: readonly string[]) =>
    names.filter((name) => files.has(name)).map((file): Source => ({ kind: 'import', file }));
  return [
    ...there(IMPORTED),
    ...(files.has('package.json') ? [{ kind: 'package', file: 'package.json' } as const] : []),
    ...(files.has('Dockerfile') ? [{ kind: 'dockerfile', file: 'Dockerfile' } as const] : []),
    ...there(COMPOSE),
  ];
}
