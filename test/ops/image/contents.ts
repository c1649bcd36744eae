/** What the image is made of: looked at from outside, and from within by a shell without the app. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { docker, dockerOrThrow } from '../../harness/docker.ts';
import type { CheckResult } from '../checks.ts';
import { check, same } from './check.ts';
import { PLANTED } from './workspace-copy.ts';

/** Of our layers, over those of the base. */
const MOST_BYTES = 130e6;

export interface Built {
  tag: string;
  developmentTag: string;
  /** The build's arguments. */
  version: string;
  gitSha: string;
  buildTime: string;
  /** The folder that it was built from. */
  workspace: string;
}

interface Inspected {
  Size: number;
  Config: {
    User: string;
    WorkingDir: string;
    Entrypoint: string[];
    Cmd: string[];
    Env: string[];
    Labels: Record<string, string>;
    ExposedPorts: Record<string, object>;
    Healthcheck?: { Test: string[]; Interval: number };
  };
}

interface Lockfile {
  packages: Record<
    string,
    { version: string; dev?: boolean; devOptional?: boolean; optional?: boolean; peer?: boolean; name?: string }
  >;
}

export async function contents(built: Built): Promise<CheckResult[]> {
  const { tag, workspace } = built;
  const image = await inspect(tag);
  const { Config: config } = image;
  const read = async <T>(file: string) => JSON.parse(await readFile(join(workspace, file), 'utf8')) as T;
  const manifest = await read<{ dependencies: object; devDependencies: object }>('package.json');
  const lock = await read<Lockfile>('package-lock.json');
  const inside = (script: string) =>
    dockerOrThrow(['run', '--rm', '-i', '--entrypoint', 'sh', tag, '-eu'], { input: script });
  const asRoot = (script: string) =>
    dockerOrThrow(['run', '--rm', '-i', '--user', '0', '--entrypoint', 'sh', tag, '-eu'], { input: script });
  const node = (type: 'module' | 'commonjs', script: string) =>
    dockerOrThrow(['run', '--rm', '-i', '--entrypoint', 'node', tag, `--input-type=${type}`, '-'], { input: script });

  return [
    await check('K1: runs as a user with a number, under tini, as the api unless told', () => [
      ...same('the user', config.User, '1000:1000'),
      ...same('the entry', [...config.Entrypoint, ...config.Cmd], ['tini', '--', 'eyrie', 'api']),
      ...same('the folder', config.WorkingDir, '/app'),
      ...same('its ports', Object.keys(config.ExposedPorts).sort(), ['3000/tcp', '3001/tcp', '9464/tcp']),
    ]),
    await check('K1: checks its own health, without curl', () => [
      ...same('the check', config.Healthcheck?.Test, ['CMD', 'eyrie', 'healthcheck']),
    ]),
    await check('K1: labels say what it is and which commit it was built from', () => {
      const label = (name: string) => config.Labels[`org.opencontainers.image.${name}`];
      const missing = ['title', 'description', 'licenses'].filter((name) => !label(name));
      return [
        ...missing.map((name) => `there is no label ${name}`),
        ...same('version', label('version'), built.version),
        ...same('revision', label('revision'), built.gitSha),
        ...same('created', label('created'), built.buildTime),
      ];
    }),
    await check('K1: our layers over the base are at most 130 MB', async () => {
      const base = /^ARG NODE_IMAGE=(\S+)$/m.exec(await readFile(join(workspace, 'Dockerfile'), 'utf8'))?.[1] ?? '';
      const bytes = image.Size - (await inspect(base)).Size;
      process.stdout.write(`our layers over ${base}: ${(bytes / 1e6).toFixed(1)} MB\n`);
      return bytes <= MOST_BYTES ? [] : [`they are ${(bytes / 1e6).toFixed(1)} MB`];
    }),
    await check('K1: neither compiler nor package manager, nor what they leave behind', async () => {
      const programs = 'gcc cc g++ make python3 npm npx corepack yarn pnpm tsc nest jest eslint git';
      const found = await asRoot(`for name in ${programs}; do command -v "$name" || true; done
        for folder in /root/.npm /home/node/.npm /root/.cache /usr/local/lib/node_modules /app/node_modules/.bin; do
          [ ! -e "$folder" ] || echo "$folder"
        done
        find /var/lib/apt/lists /var/cache/apt/archives -type f ! -name lock 2>/dev/null | sed 3q`);
      return lines(found).map((path) => `there is ${path}`);
    }),
    await check('K1: no sources, types, maps, specs or settings of a developer', async () => {
      const unwanted = ['*.ts', '*.mts', '*.cts', '*.map', '*.tsbuildinfo', '*.spec.js', '.env*', '.npmrc', '.git'];
      const names = unwanted.map((name) => `-name '${name}'`).join(' -o ');
      const found = lines(await inside(`find /app ${names} | sed 20q; ls -A /app`));
      const expected = ['LICENSE', 'dist', 'node_modules', 'package.json'];
      return found.filter((path) => !expected.includes(path)).map((path) => `there is ${path}`);
    }),
    await check(
      'K1: the packages are those of the lockfile for production, and no development dependency',
      async () => {
        const script = `const { readFileSync } = require('node:fs');
        const found = ${JSON.stringify(Object.keys(lock.packages).filter(Boolean))}.flatMap((path) => {
          try { return [[path, JSON.parse(readFileSync('/app/' + path + '/package.json')).version]]; } catch { return []; }
        });
        console.log(JSON.stringify(found));`;
        const installed = new Map(JSON.parse(await node('commonjs', script)) as [string, string][]);
        const needed = Object.entries(lock.packages).filter(
          ([path, each]) =>
            path && !each.dev && !each.devOptional && !each.optional && !path.includes('node_modules/@types/'),
        );
        const others = Object.keys(manifest.devDependencies).filter((name) => installed.has(`node_modules/${name}`));
        const development = [...installed.keys()].filter((path) => lock.packages[path]?.dev);
        return [
          ...needed.flatMap(([path, { version }]) => same(path, installed.get(path), version)),
          ...[...others, ...development].map((name) => `${name} is there`),
        ];
      },
    ),
    await check('K1: every package that the product names can be loaded', async () => {
      const names = Object.keys(manifest.dependencies).filter((name) => !name.startsWith('@types/'));
      const script = `for (const name of ${JSON.stringify(names)}) {
          try { await import(name); } catch ({ message }) { console.log(name + ': ' + message); }
        }
        process.exit(0);`;
      return lines(await node('module', script));
    }),
    await check('K1: nothing of it can be changed by the user that it runs as', async () => {
      const places = '/app /usr /etc /opt /var /root /bin /sbin /lib';
      const found = await inside(`find ${places} -xdev ! -type l -writable 2>/dev/null | sed 20q`);
      return lines(found)
        .filter((path) => !/^\/var\/(tmp|lock|run|mail)\b/.test(path))
        .map((path) => `${path} can be written`);
    }),
    await check('K1: no secret in its history, its settings or its files', async () => {
      const history = await dockerOrThrow(['history', '--no-trunc', '--format', '{{.CreatedBy}}', tag]);
      const told = [history, JSON.stringify(config.Env), JSON.stringify(config.Labels)].join('\n');
      const suspicious = told.match(/\b\w*(password|passwd|secret|token|apikey|_key)\w*\s*=\s*\S+/gi) ?? [];
      const strays = [];
      for (const name of [tag, built.developmentTag]) {
        const grep = [
          'run',
          '--rm',
          '--entrypoint',
          'grep',
          name,
          '-rl',
          '--exclude-dir=node_modules',
          PLANTED,
          '/app',
        ];
        const { status, stdout, stderr } = await docker(grep);
        if (status > 1) throw new Error(stderr);
        strays.push(...lines(stdout).map((path) => `${path} of the checkout went into ${name}`));
      }
      return [...suspicious.map((text) => `it tells ${text}`), ...strays];
    }),
  ];
}

async function inspect(image: string): Promise<Inspected> {
  const [inspected] = JSON.parse(await dockerOrThrow(['image', 'inspect', image])) as [Inspected];
  return inspected;
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line.length > 0);
}
