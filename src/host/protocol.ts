/**
 * The layouts and numbers of src/init/protocol.h, which says what they mean. test/host/protocol-layout compares every
 * one of them with what the C compiler makes of that header.
 */
import { array, i32, struct, text, u8, u16, u32, u64 } from './layout.ts';

export const PROTOCOL_VERSION = 5;
export const FRAME_MAX = 2 * 1024 * 1024;
export const RUNGS_MAX = 16;
export const LIMITS_MAX = 16;
export const NAME_SIZE = 96;
export const PIDS_MAX = 16;
export const INSTALLATION_SIZE = 1024;
export const FOLDER_SIZE = 512;
export const SIGNAL_MAP_SIZE = 72;
export const FOREVER = 0xffff_ffff_ffff_ffffn;
export const SIGNAL_AS_RECEIVED = 255;
export const NOT_STOPPING = 0xffff_ffff;

export const frameType = {
  SPAWN: 1,
  RUNG: 2,
  SIGNAL: 3,
  FORGET: 4,
  EXIT: 5,
  SEEN: 6,
  UPGRADE: 7,
  CLEAR: 8,
  LEAVE: 9,
  COUNT: 10,
  CONFIG_KEPT: 11,
  HELLO: 16,
  RUN: 17,
  ASKS: 18,
  SYNC: 19,
  BYTES: 20,
  COUNTS: 21,
  PLACE: 22,
} as const;

/** TARGET_*: the number is the index. */
export const targets = ['group', 'leader', 'tree'] as const;
/** OUTPUT_*: the number is the index. */
export const outputs = ['inherit', 'none', 'prefix', 'json', 'file'] as const;
/** PHASE_*, from 1. */
export const phases = ['starting', 'running', 'stopping', 'killing', 'ended'] as const;
/** STAGE_*, from 1. */
export const stages = [
  'fork',
  'terminal',
  'output',
  'limits',
  'nice',
  'oom',
  'user',
  'cwd',
  'privs',
  'stdin',
  'exec',
  'timeout',
] as const;

export const rungFlag = { RUNG_HOOK: 1, RUNG_BUSY: 2 } as const;
export const orderFlag = {
  ORDER_MUST_DRAIN: 1,
  ORDER_FIRST_ONLY: 2,
  ORDER_POST_STOP: 4,
  ORDER_FINALS: 8,
} as const;
export const spawnFlag = {
  SPAWN_CLEAR_ENV: 1,
  SPAWN_NO_NEW_PRIVS: 2,
  SPAWN_UMASK: 4,
  SPAWN_NICE: 8,
  SPAWN_OOM: 16,
  SPAWN_TERMINAL: 32,
  SPAWN_STDIN_NULL: 64,
  SPAWN_NOTIFY: 128,
  SPAWN_TTY: 256,
  SPAWN_TIMESTAMPS: 512,
  SPAWN_DEEP_COPY: 1024,
} as const;
export const helloFlag = { HELLO_PID1: 1, HELLO_WOKEN: 2 } as const;
export const runFlag = {
  RUN_LEADER_EXITED: 1,
  RUN_FORCED: 2,
  RUN_STUCK: 4,
  RUN_LOST: 8,
  RUN_ALONE: 16,
  RUN_OOM: 32,
  RUN_ASKED_AGAIN: 64,
} as const;
export const notifyFlag = { NOTIFY_READY: 1, NOTIFY_STOPPING: 2, NOTIFY_RELOADING: 4 } as const;

export const head = struct({ size: u32, type: u16, version: u16, number: u64 });
export const rung = struct({ signal: u8, target: u8, flags: u8, pad: array(u8, 5), wait_ns: u64 });
export const order = struct({
  level: u32,
  flags: u32,
  count: u32,
  index: u32,
  cap_ns: u64,
  deadline_ns: u64,
  rungs: array(rung, RUNGS_MAX),
});
export const limit = struct({ resource: u32, pad: u32, soft: u64, hard: u64 });
export const spawn = struct({
  flags: u32,
  umask: u32,
  nice: i32,
  oom_score_adj: i32,
  start_timeout_ns: u64,
  argc: u32,
  env_set: u32,
  env_unset: u32,
  limit_count: u32,
  output: u32,
  max_files: u32,
  max_bytes: u64,
  on_signal: array(u8, SIGNAL_MAP_SIZE),
  ready_fd: i32,
  pad: u32,
  limits: array(limit, LIMITS_MAX),
  order,
});
export const rung_request = struct({ key: u64, order });
export const signal_request = struct({ key: u64, signal: u32, target: u32 });
export const key_request = struct({ key: u64 });
export const exit_request = struct({ code: u32, drain_ms: u32 });
export const upgrade_request = struct({ installation: text(INSTALLATION_SIZE) });
export const seen = struct({ event: u64, wake_ns: u64 });
export const leaving = struct({ event: u64, wake_ns: u64, orders_suffice: u32, pad: u32 });
export const log_place = struct({ fd: i32, pad: u32, device: u64, inode: u64 });
export const place = struct({
  init_pid: i32,
  pad: u32,
  checkpoint_log: log_place,
  init_log: log_place,
  task: text(NAME_SIZE),
  folder: text(FOLDER_SIZE),
});
export const hello = struct({
  version: u32,
  flags: u32,
  restarts: u32,
  init_pid: i32,
  last_number: u64,
  init_ticks: u64,
  pid_ns: u64,
  stay_ns: u64,
  boot_id: text(40),
});
export const asks = struct({
  count: u32,
  signal: u32,
  pid: i32,
  uid: u32,
  first_ns: u64,
  reloads: u32,
  reload_pid: i32,
  reload_uid: u32,
  cleared: u32,
});
export const sync = struct({ event: u64 });
export const bytes = struct({ process: text(NAME_SIZE), out: u64, error: u64 });
export const counts = struct({ orphans: u64 });
export const usage = struct({ user_us: u64, sys_us: u64, max_rss_kb: u64 });
export const run_state = struct({
  key: u64,
  phase: u32,
  flags: u32,
  pid: i32,
  coordinator_pid: i32,
  start_ticks: u64,
  coordinator_ticks: u64,
  failed_stage: u32,
  failed_errno: i32,
  code: i32,
  signal: i32,
  rung: u32,
  stragglers: u32,
  deadline_ns: u64,
  forked_ns: u64,
  started_ns: u64,
  leader_exited_ns: u64,
  ended_ns: u64,
  stop_ns: u64,
  leader: usage,
  tree: usage,
  notify: u32,
  notify_count: u32,
  main_pid: i32,
  pad: u32,
  extend_us: u64,
  extend_ns: u64,
  watchdog_ns: u64,
  pids: array(i32, PIDS_MAX),
  name: text(NAME_SIZE),
  status: text(NAME_SIZE),
});

/** RLIMIT_* of Linux, the same on x86-64 and arm64; names as `--ulimit` of Docker has them. */
export const resources: Readonly<Record<string, number>> = {
  cpu: 0,
  fsize: 1,
  data: 2,
  stack: 3,
  core: 4,
  rss: 5,
  nproc: 6,
  nofile: 7,
  memlock: 8,
  as: 9,
  locks: 10,
  sigpending: 11,
  msgqueue: 12,
  nice: 13,
  rtprio: 14,
  rttime: 15,
};
