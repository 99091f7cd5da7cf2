/** What a service of Compose can say and a process of gsup cannot, and why. Pure. */

const CONTAINER = 'it is about the container around the process, not about the process';
const NETWORK = 'processes of one container share its network: they find each other at 127.0.0.1';
const LIMIT = "limits of processor, memory and devices are the container's";
const FILES = 'what is mounted is up to the container';
const BUILD = 'the program must be in the image that gsup runs in';

const REASONS: ReadonlyArray<readonly [why: string, keys: readonly string[]]> = [
  [BUILD, ['image', 'build', 'platform', 'pull_policy', 'develop']],
  [
    NETWORK,
    [
      'networks',
      'network_mode',
      'external_links',
      'extra_hosts',
      'dns',
      'dns_opt',
      'dns_search',
      'hostname',
      'domainname',
      'mac_address',
    ],
  ],
  ['ports are published by who starts the container', ['ports', 'expose']],
  [
    FILES,
    [
      'volumes',
      'volumes_from',
      'tmpfs',
      'configs',
      'secrets',
      'read_only',
      'storage_opt',
      'devices',
      'device_cgroup_rules',
      'shm_size',
    ],
  ],
  [
    LIMIT,
    [
      'blkio_config',
      'cpu_count',
      'cpu_percent',
      'cpu_shares',
      'cpu_period',
      'cpu_quota',
      'cpu_rt_runtime',
      'cpu_rt_period',
      'cpus',
      'cpuset',
      'mem_limit',
      'mem_reservation',
      'mem_swappiness',
      'memswap_limit',
      'pids_limit',
      'oom_kill_disable',
      'gpus',
      'cgroup',
      'cgroup_parent',
    ],
  ],
  [
    CONTAINER,
    [
      'container_name',
      'labels',
      'label_file',
      'annotations',
      'cap_add',
      'cap_drop',
      'privileged',
      'group_add',
      'ipc',
      'pid',
      'uts',
      'userns_mode',
      'isolation',
      'runtime',
      'sysctls',
      'credential_spec',
      'attach',
      'use_api_socket',
      'provider',
      'models',
    ],
  ],
  ['gsup has drivers of its own: see logging', ['logging']],
  ['gsup has no hook after the start', ['post_start']],
];

const BY_KEY = new Map(REASONS.flatMap(([why, keys]) => keys.map((key) => [key, why] as const)));

export function whyNot(key: string): string {
  return BY_KEY.get(key) ?? 'gsup does not know it';
}

const TOP: Readonly<Record<string, string>> = {
  version: 'it means nothing, to Compose either',
  networks: NETWORK,
  volumes: FILES,
  configs: FILES,
  secrets: FILES,
  models: CONTAINER,
  include: 'what it names is not read; import the output of `docker compose config`',
};

export function whyNotOnTop(key: string): string {
  return TOP[key] ?? 'gsup does not know it';
}
