const { join } = require('node:path');

module.exports = {
  apps: [
    {
      name: 'worker',
      script: './worker.js',
      watch: true,
      ignore_watch: ['node_modules'],
      env: { NODE_ENV: 'development', QUEUE: 'mail$' },
      env_production: { NODE_ENV: 'production' },
    },
    {
      name: 'api-app',
      script: './api.js',
      args: ['--color', 'two words'],
      instances: 4,
      exec_mode: 'cluster',
      node_args: '--max-old-space-size=4096',
      error_file: join('logs', 'err.log'),
      out_file: './logs/out.log',
      log_date_format: 'YYYY-MM-DD HH:mm Z',
      merge_logs: true,
      max_restarts: 10,
      min_uptime: '10s',
      wait_ready: true,
      listen_timeout: 5000,
      kill_timeout: 3000,
    },
  ],
  deploy: {
    production: { user: 'node', host: ['203.0.113.7'], repo: 'git@example.com:shop.git', path: '/srv' },
  },
};
