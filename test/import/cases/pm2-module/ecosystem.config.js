
/** @type {import('pm2').StartOptions[]} */
const apps = [
  {
    name: 'api',
    script: './dist/main.js',
    instances: 2,
    exec_mode: 'cluster',
    wait_ready: true,
    listen_timeout: 8000,
    kill_timeout: 5000,
    time: true,
    env: { NODE_ENV: 'development' },
    env_production: { NODE_ENV: 'production', PORT: 3002 },
    exp_backoff_restart_delay: 100,
    max_memory_restart: '1G',
    error_file: 'logs/err.log',
    out_file: 'logs/out.log',
    merge_logs: true,
  },
  { name: 'indexer', script: 'dist/indexer.js', node_args: '--max-old-space-size=512', cron_restart: '0 3 * * *', stop_exit_codes: [0] },
];
export default { apps };
