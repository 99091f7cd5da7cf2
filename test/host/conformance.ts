import { createTools, type HostKind } from './cases.ts';
import { testOutput } from './output-cases.ts';
import { testStarts } from './start-cases.ts';
import { testStops } from './stop-cases.ts';

/** The cases that every host passes, one list. */
export function testHost(kind: HostKind): void {
  const tools = createTools(kind);
  testStarts(kind, tools);
  testStops(kind, tools);
  if (kind.can.captureOutput) testOutput(tools);
}
