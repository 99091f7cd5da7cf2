/** `healthcheck` of a service. Pure. */
import { isMapping, type Value } from '../../config/tree.ts';
import type { Block } from '../draft.ts';
import { plain, remark, type Service, take } from './service.ts';

const KEYS = ['test', 'interval', 'timeout', 'retries', 'start_period', 'start_interval'];

/** The keys are Compose's own; only what follows from ill health differs. */
export function healthOf(service: Service): Block | undefined {
  const value = take(service, 'healthcheck');
  if (value === undefined || value === null) return undefined;
  if (!isMapping(value)) {
    remark(service, 'lost', ['healthcheck'], 'a mapping is needed');
    return undefined;
  }
  const off = isOff(value.test) || value.disable === 'true';
  for (const key of Object.keys(value)) {
    if (!KEYS.includes(key) && key !== 'disable')
      remark(service, 'lost', ['healthcheck', key], 'gsup does not know it');
  }
  if (off) return undefined;
  if (value.test === undefined) {
    remark(service, 'lost', ['healthcheck'], 'the test is in the image, and not in this file');
    return undefined;
  }
  const said = KEYS.filter((key) => value[key] !== undefined).map(
    (key) => [key, plain(value[key] as Value)] as const,
  );
  // Docker marks a container and leaves it alone.
  return { ...Object.fromEntries(said), on_unhealthy: 'ignore' };
}

function isOff(test: Value | undefined): boolean {
  return test === 'NONE' || (Array.isArray(test) && test[0] === 'NONE');
}
