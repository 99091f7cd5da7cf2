/** What `gsup import` can read. Nothing is imported here: the table of commands names them too. */
export const FORMATS = ['supervisord', 'compose', 'pm2', 'procfile', 's6'] as const;

export type Format = (typeof FORMATS)[number];
