/**
 * What official images run when the file does not say it: ENTRYPOINT and CMD of their Dockerfiles, the signal of STOPSIGNAL.
 * Their programs must be in the image that gsup runs in. Pure.
 */
export interface ImageCommand {
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  readonly stopSignal?: string;
}

const script = 'docker-entrypoint.sh';

const IMAGES: Readonly<Record<string, ImageCommand>> = {
  postgres: { entrypoint: [script], cmd: ['postgres'], stopSignal: 'SIGINT' },
  mysql: { entrypoint: [script], cmd: ['mysqld'] },
  mariadb: { entrypoint: [script], cmd: ['mariadbd'] },
  redis: { entrypoint: [script], cmd: ['redis-server'] },
  memcached: { entrypoint: [script], cmd: ['memcached'] },
  mongo: { entrypoint: [script], cmd: ['mongod'] },
  rabbitmq: { entrypoint: [script], cmd: ['rabbitmq-server'] },
  nginx: {
    entrypoint: ['/docker-entrypoint.sh'],
    cmd: ['nginx', '-g', 'daemon off;'],
    stopSignal: 'SIGQUIT',
  },
  httpd: { entrypoint: [], cmd: ['httpd-foreground'], stopSignal: 'SIGWINCH' },
};

/** `docker.io/library/redis:7-alpine@sha256:...` is `redis`; somebody's own image is none of these. */
export function commandOfImage(image: string): ImageCommand | undefined {
  const name = image
    .replace(/@.*$/, '')
    .replace(/:[^/]*$/, '')
    .replace(/^(?:docker\.io\/)?(?:library\/)?/, '');
  return Object.hasOwn(IMAGES, name) ? IMAGES[name] : undefined;
}
