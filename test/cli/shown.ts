import { complaintLines, type Outcome } from '../../src/cli/output.ts';

/** What a person at a terminal gets. */
export function shown({ complaints, logFormat, ...rest }: Outcome): Outcome {
  return complaints === undefined ? rest : { ...rest, stderr: complaintLines(complaints, 'text') };
}
