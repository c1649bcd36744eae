import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { LaunchError } from './launch-error.js';

/** What `node` is given to run each part of the product. */
export interface Programs {
  /** Brings the database up to date, and ends. */
  migrate: string[];
  api: string[];
  worker: string[];
  /** Whether the apps are built anew, and started again, while they run. */
  watched: boolean;
}

/** The root of the workspace: this file is dist/apps/local/src/programs.js there. */
const root = resolve(import.meta.dirname, '../../../..');

const built = (path: string) => resolve(root, 'dist', path);

/** The apps as `npm run build` leaves them. */
export function builtApps(): Programs {
  return {
    migrate: [built('apps/api/src/migrate.js')],
    api: [built('bundle/api.js')],
    worker: [built('bundle/worker.js')],
    watched: false,
  };
}

/** The apps under Nest's command line, which builds and starts them again at every change of a source. */
export function watchedApps(): Programs {
  const nest = (app: string) => [
    resolve(root, 'node_modules/@nestjs/cli/bin/nest.js'),
    ...['start', app, '--watch', '--no-shell', '--preserveWatchOutput'],
  ];
  return { ...builtApps(), api: nest('api'), worker: nest('worker'), watched: true };
}

/** @throws LaunchError when a program is missing */
export function requirePrograms({ migrate, api, worker }: Programs): void {
  const missing = [migrate, api, worker].find(([file]) => !existsSync(file!));
  if (missing) throw new LaunchError(`${missing[0]} is missing: run "npm run build" first.`);
}
