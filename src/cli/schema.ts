/** `gsup schema`: the JSON Schema of a config file. */
import { configSchema } from '../config/json-schema.ts';
import { type Outcome, success } from './output.ts';

export function schema(): Outcome {
  return success(`${JSON.stringify(configSchema(), null, 2)}\n`);
}
