import { BUSY_SCENARIOS } from './scenarios-busy.ts';
import { CONFIG_SCENARIOS } from './scenarios-config.ts';
import { CONTROL_SCENARIOS } from './scenarios-control.ts';
import { HOOK_SCENARIOS } from './scenarios-hooks.ts';
import { LEVEL_SCENARIOS } from './scenarios-levels.ts';
import { MEMORY_SCENARIOS } from './scenarios-memory.ts';
import { ORDER_SCENARIOS } from './scenarios-order.ts';
import { PRE_START_SCENARIOS } from './scenarios-pre-start.ts';
import { PROBE_SCENARIOS } from './scenarios-probes.ts';
import { RESTART_SCENARIOS } from './scenarios-restart.ts';
import { STOP_SCENARIOS } from './scenarios-stop.ts';
import { TASK_SCENARIOS } from './scenarios-task.ts';
import type { Told } from './told.ts';

/** Ladders alone: no hooks, no restarts. */
export const STOPS: readonly Told[] = [...STOP_SCENARIOS, ...LEVEL_SCENARIOS];
export const SCENARIOS: readonly Told[] = [
  ...STOPS,
  ...HOOK_SCENARIOS,
  ...RESTART_SCENARIOS,
  ...ORDER_SCENARIOS,
  ...TASK_SCENARIOS,
  ...PROBE_SCENARIOS,
  ...CONTROL_SCENARIOS,
  ...CONFIG_SCENARIOS,
  ...PRE_START_SCENARIOS,
  ...BUSY_SCENARIOS,
  ...MEMORY_SCENARIOS,
];
