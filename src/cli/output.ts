/** What a command leaves behind. Only main.ts writes it and ends the process. */
import { EXIT } from '../signals/exit-codes.ts';

export interface Outcome {
  readonly exitCode: number;
  readonly stdout?: string;
  readonly stderr?: string;
}

export function success(stdout: string): Outcome {
  return { exitCode: EXIT.success, stdout };
}

/** Each complaint is a sentence of the form `cannot <do> "<what>": <rule or cause>, got <value>`. */
export function failure(exitCode: number, ...complaints: readonly string[]): Outcome {
  return { exitCode, stderr: complaints.map((complaint) => `gsup: ${complaint}\n`).join('') };
}
