/** Why a request of a client was not taken, in words and for programs. Pure. */
import type { Refusal } from '../supervisor/client-request.ts';

/** `code`: for programs, and stable. */
export interface WordedRefusal {
  readonly code: Refusal['reason'];
  readonly message: string;
  readonly hint: string;
}

/** `what`: the request as a verb and its object, `start "web"`. */
export function wordRefusal(what: string, refusal: Refusal): WordedRefusal {
  const [rule, hint] = words(refusal);
  return { code: refusal.reason, message: `cannot ${what}: ${rule}`, hint };
}

function words(refusal: Refusal): readonly [rule: string, hint: string] {
  switch (refusal.reason) {
    case 'no-such-process':
      return [`there is no process "${refusal.name}"`, `there is ${refusal.known.join(', ')}`];
    case 'stopping':
      return [
        'the task is being stopped, and nothing starts any more',
        'start the task again when it has ended',
      ];
    case 'ended':
      return ['the task has ended', 'gsup history tells how'];
    case 'final':
      return [
        `"${refusal.name}" is final: it runs when all others have ended`,
        'stop the task, and it will run',
      ];
    case 'not-running':
      return [`${refusal.processes.join(', ')} is not running`, 'gsup status shows what is'];
    case 'no-such-signal':
      return [`a signal from 1 to 64 is needed, got ${refusal.signal}`, 'such as SIGHUP'];
    case 'not-an-installation':
      return [
        `the absolute path of an installation is needed, got "${refusal.path}"`,
        'its folder, with dist/main.js',
      ];
    case 'bad-config':
      return [
        `the config is not good, and the one before stays in force: ${refusal.problems.join('; ')}`,
        'gsup check tells where',
      ];
    case 'no-config':
      return refusal.why === 'run'
        ? ['what gsup run supervises has no config', 'start it anew']
        : ['the config came from standard input', 'name a file with -f'];
    case 'not-restartable':
      return [
        `"${refusal.name}" was started without a supervisor, which has given away its input and output`,
        'start it with --stay, or with a policy: --restart on-failure',
      ];
    case 'not-scalable':
      return [`"${refusal.name}" has no key replicas`, 'write replicas: 1 in the config, and reload'];
    case 'bad-count':
      return [
        `the replicas of "${refusal.name}" are a number from 0 to ${refusal.most}, got ${refusal.replicas}`,
        '',
      ];
  }
}
