/** `gsup checkpoint verify|dump`. */
import { EXIT } from '../signals/exit-codes.ts';
import { failure, type Outcome } from './output.ts';
import type { Options } from './parse.ts';

export function checkpointCommand(
  _what: 'verify' | 'dump',
  _file: string | undefined,
  _options: Options,
): Outcome {
  return failure(EXIT.internal, 'internal error: the checkpoint commands are not there yet');
}
