/** What an app of PM2 can say and a process of gsup cannot, and why. Pure. */

const CHANNEL = 'gsup gives no channel for process.send, which is undefined then';
const PANEL = 'it is for the monitoring of PM2';

const REASONS: ReadonlyArray<readonly [why: string, keys: readonly string[]]> = [
  ['gsup does not watch files', ['watch', 'ignore_watch', 'watch_delay', 'watch_options']],
  ['gsup restarts nothing by the clock', ['cron_restart', 'cron']],
  [`${CHANNEL}; sd_notify or a probe can tell it: see ready`, ['wait_ready', 'listen_timeout']],
  [`${CHANNEL}; the stop signal is sent`, ['shutdown_with_message']],
  ['the environment is passed on whole; clear_env begins with an empty one', ['filter_env']],
  [
    'a process has the name of its entry',
    ['namespace', 'name_prefix', 'append_env_to_name', 'pid_file', 'pid', 'username'],
  ],
  [
    PANEL,
    [
      'pmx',
      'automation',
      'vizion',
      'trace',
      'disable_trace',
      'v8',
      'event_loop_inspector',
      'deep_monitoring',
      'io',
      'post_update',
      'install_url',
    ],
  ],
  ['node does it with --enable-source-maps', ['source_map_support', 'disable_source_map_support']],
  ['gsup has one log for each process', ['log_file', 'log', 'merge_logs', 'combine_logs']],
  ['a task has each process once', ['force', 'write', 'execute_command']],
  ['a process that ignores SIGKILL is reported as stuck', ['kill_retry_time']],
  ['it is about Windows', ['windowsHide']],
];

const BY_KEY = new Map(REASONS.flatMap(([why, keys]) => keys.map((key) => [key, why] as const)));

export function whyNot(key: string): string {
  if (/^env_/.test(key)) return 'what `--env` would choose is not taken; write it into environment';
  return BY_KEY.get(key) ?? 'gsup does not know it';
}

/** What is so without being said: PM2's own default, and what gsup does as well. */
const AS_IT_IS: Readonly<Record<string, RegExp>> = {
  watch: /^false$/,
  ignore_watch: /^/,
  wait_ready: /^false$/,
  shutdown_with_message: /^false$/,
  merge_logs: /^/,
  combine_logs: /^/,
  log_file: /^(?:false|\/dev\/null|NULL)$/,
  log: /^(?:false|\/dev\/null|NULL)$/,
  force: /^/,
  windowsHide: /^/,
  pmx: /^/,
  automation: /^/,
  vizion: /^/,
  trace: /^false$/,
  disable_trace: /^/,
  source_map_support: /^false$/,
  disable_source_map_support: /^true$/,
  filter_env: /^false$/,
  append_env_to_name: /^false$/,
};

/** `text`: the value, where it is a text. */
export function isAsItIs(key: string, text: string, watches: boolean): boolean {
  if (key === 'ignore_watch' || key === 'watch_delay' || key === 'watch_options') return !watches;
  return AS_IT_IS[key]?.test(text) ?? false;
}
