/** `restart` and `deploy` of a service. Pure. */
import { shown } from '../../config/problem.ts';
import { isMapping, type Mapping, type Value } from '../../config/tree.ts';
import type { Block } from '../draft.ts';
import { remark, type Service, take, takeText } from './service.ts';

export function restartOf(service: Service): Block {
  const restart = takeText(service, 'restart');
  const deploy = take(service, 'deploy');
  const scale = takeText(service, 'scale');
  if (!isMapping(deploy))
    return { restart: restart === 'no' ? undefined : restart, replicas: replicasOf(scale) };
  const { replicas, restart_policy: policy, ...rest } = deploy;
  for (const key of Object.keys(rest))
    remark(
      service,
      'lost',
      ['deploy', key],
      key === 'resources' ? "limits are the container's" : 'it is for a cluster of machines',
    );
  if (isMapping(policy) && restart !== undefined)
    remark(service, 'lost', ['restart'], 'deploy.restart_policy says it');
  const own = isMapping(policy)
    ? policyOf(service, policy)
    : { restart: restart === 'no' ? undefined : restart };
  return { ...own, replicas: replicasOf(scale ?? (typeof replicas === 'string' ? replicas : undefined)) };
}

function replicasOf(text: string | undefined): string | undefined {
  return text === '1' ? undefined : text;
}

const CONDITIONS: Readonly<Record<string, string | undefined>> = {
  none: undefined,
  'on-failure': 'on-failure',
  any: 'always',
};

function policyOf(service: Service, policy: Mapping): Block {
  const { condition = 'any', delay, max_attempts: attempts, window, ...rest } = policy;
  for (const key of Object.keys(rest))
    remark(service, 'lost', ['deploy', 'restart_policy', key], 'gsup does not know it');
  const word = typeof condition === 'string' && Object.hasOwn(CONDITIONS, condition) ? condition : undefined;
  if (word === undefined)
    remark(
      service,
      'lost',
      ['deploy', 'restart_policy', 'condition'],
      `none, on-failure or any is needed, got ${shown(condition)}`,
    );
  if (word === undefined || word === 'none') return {};
  const times = wholeOf(attempts);
  return {
    restart: CONDITIONS[word],
    max_failures: times === undefined ? undefined : times + 1,
    backoff: backoffOf(delay, window),
  };
}

/** A delay is the same each time. */
function backoffOf(delay: Value | undefined, window: Value | undefined): Block | undefined {
  const waits = typeof delay === 'string' ? { initial: delay, factor: 1, max: delay, jitter: '0%' } : {};
  const reset = typeof window === 'string' ? { reset_after: window } : {};
  return Object.keys({ ...waits, ...reset }).length === 0 ? undefined : { ...waits, ...reset };
}

function wholeOf(value: Value | undefined): number | undefined {
  return typeof value === 'string' && /^\d{1,6}$/.test(value) ? Number(value) : undefined;
}
