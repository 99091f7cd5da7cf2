// Files as people have them, after what the documentation of these projects shows; beside each stands what is made of it.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from '../docs/pages.ts';

export interface Case {
  readonly name: string;
  /** In the folder of the case. */
  readonly file: string;
  /** After what it is made. */
  readonly after: string;
}

export const CASES: readonly Case[] = [
  { name: 'supervisord-sshd-apache', file: 'supervisord.conf', after: "Docker's page on several processes" },
  { name: 'supervisord-laravel-worker', file: 'worker.conf', after: "Laravel's page on queues" },
  { name: 'supervisord-nginx-php-fpm', file: 'supervisord.conf', after: 'images with nginx and PHP' },
  { name: 'supervisord-groups', file: 'supervisord.conf', after: "supervisor's own sample" },
  { name: 'compose-web-redis', file: 'compose.yaml', after: "Docker's first steps with Compose" },
  { name: 'compose-startup-order', file: 'compose.yaml', after: "Docker's page on the order of starts" },
  { name: 'compose-wordpress', file: 'docker-compose.yml', after: 'awesome-compose' },
  { name: 'compose-celery', file: 'docker-compose.yml', after: 'applications of Django' },
  { name: 'compose-airflow', file: 'docker-compose.yaml', after: "Airflow's page on Docker" },
  {
    name: 'compose-whole-service',
    file: 'compose.yml',
    after: "the Compose specification's keys of a service",
  },
  { name: 'pm2-module', file: 'ecosystem.config.js', after: 'applications of NestJS' },
  { name: 'procfile-rails', file: 'Procfile', after: "Heroku's and Aptible's pages on Rails" },
  { name: 'supervisord-gunicorn-celery', file: 'supervisord.conf', after: 'images with gunicorn and Celery' },
  { name: 'pm2-ecosystem', file: 'ecosystem.config.cjs', after: "PM2's page on ecosystem files" },
  { name: 'pm2-json', file: 'process.json', after: "PM2's reference of attributes" },
  { name: 'pm2-yaml', file: 'ecosystem.yml', after: "PM2's page on ecosystem files" },
  { name: 'procfile-heroku', file: 'Procfile', after: "Heroku's first steps with Python" },
  { name: 'procfile-foreman', file: 'Procfile', after: "foreman's manual" },
  { name: 's6-overlay-services', file: 'etc', after: "s6-overlay's README, version 2" },
  { name: 's6-rc-source', file: 's6-rc.d', after: "s6-overlay's README, version 3" },
  { name: 's6-servicedir', file: 'service', after: "s6's page on service directories" },
];

export function caseFolder({ name }: Case): string {
  return join(root, 'test/import/cases', name);
}

export interface Said {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: readonly string[];
}

/** `bin/gsup`, as a user would call it there. */
export function gsupIn(
  cwd: string,
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Said {
  const { PATH = '' } = process.env;
  const ended = spawnSync(join(root, 'bin/gsup'), ['--log-format', 'text', ...words], {
    cwd,
    env: { PATH, HOME: '/nonexistent', ...env },
    encoding: 'utf8',
  });
  return {
    code: ended.status,
    stdout: ended.stdout,
    stderr: ended.stderr.split('\n').filter((line) => line !== ''),
  };
}
