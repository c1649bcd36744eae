/**
 * The libraries as others use them: from the published package in an app outside of the workspace, and in a new app
 * within it. Both boot, are observed, and drain.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Cleanup, freePort, openFolder, Program } from '../../harness/processes.ts';
import type { CheckResult } from '../checks.ts';
import { copyWorkspace, ROOT } from '../workspace.ts';

const INSTALL_LIMIT_MS = 300_000;
const MOST_LINES = 20;

/** All there is of the app outside. */
const outside = {
  'main.ts': `
import { serve } from 'eyrie/app/serve';
await serve({ name: 'outside', directory: import.meta.dirname, program: () => import('./program.js') });
`,
  'program.ts': `
import { Controller, Get, Logger, Module } from '@nestjs/common';
import { defineProgram, standardModules, standardSettings } from 'eyrie/app';
import { createServer } from 'eyrie/server';
@Controller('hello')
class HelloController {
  @Get() hello() {
    new Logger('Hello').log('Somebody says hello');
    return { message: 'Hello' };
  }
}
@Module({}) class Root {}
export default defineProgram({
  slices: standardSettings,
  port: () => Number(process.env.PORT),
  create: (context) =>
    createServer({ module: Root, imports: standardModules(context), controllers: [HelloController] }, context.settings.server),
});
`,
};

export async function library(cleanup: Cleanup): Promise<CheckResult[]> {
  const folder = await openFolder('library');
  cleanup.add('its folder', () => rm(folder, { recursive: true }));
  return [
    { name: 'S1: an app outside of the workspace, from the packed package', faults: await packed(folder, cleanup) },
    { name: 'S1: a new app in the workspace', faults: await generated(folder, cleanup) },
  ];
}

async function packed(folder: string, cleanup: Cleanup): Promise<string[]> {
  const lines = Object.values(outside).flatMap((text) => text.trim().split('\n'));
  const app = join(folder, 'outside');
  mkdirSync(app);
  run('npm', ['pack', '--silent', '--pack-destination', folder], ROOT);
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'))!;
  writeFileSync(join(app, 'package.json'), JSON.stringify({ name: 'outside', version: '2.3.4', type: 'module' }));
  const tools = ['typescript', '@types/node'].map((name) => `${name}@${versionOf(name)}`);
  run('npm', ['install', '--no-audit', '--no-fund', join(folder, tarball), ...tools], app);
  for (const [name, text] of Object.entries(outside)) writeFileSync(join(app, name), text.trimStart());
  const flags = ['--module', 'nodenext', '--target', 'es2023', '--strict', '--skipLibCheck', '--types', 'node'];
  const decorators = ['--experimentalDecorators', '--emitDecoratorMetadata'];
  run('npx', ['tsc', ...flags, ...decorators, 'main.ts', 'program.ts'], app);
  const faults = lines.length < MOST_LINES ? [] : [`it has ${lines.length} lines`];
  return [...faults, ...(await observe('outside', join(app, 'main.js'), app, cleanup))];
}

async function generated(folder: string, cleanup: Cleanup): Promise<string[]> {
  const copy = copyWorkspace(join(folder, 'workspace'));
  run('npm', ['run', '--silent', 'new:app', 'greeter'], copy);
  run('npm', ['run', '--silent', 'build'], copy);
  run('npm', ['test', '--', 'apps/greeter'], copy);
  run('npx', ['eslint', 'apps/greeter'], copy);
  return observe('greeter', join(copy, 'dist/bundle/greeter.js'), copy, cleanup);
}

/** Runs the app, looks at all that it is supposed to have, and drains it. */
async function observe(name: string, main: string, cwd: string, cleanup: Cleanup): Promise<string[]> {
  const url = `http://127.0.0.1:${await freePort()}`;
  const program = new Program({
    name,
    command: process.execPath,
    args: [main],
    cwd,
    env: { ENVIRONMENT: 'staging', LOG_FORMAT: 'json', PORT: new URL(url).port, DRAIN_DELAY: '0s', HOST: '127.0.0.1' },
    logDirectory: cwd,
    readyUrl: `${url}/health/ready`,
  });
  cleanup.add(name, () => program.stop());
  await program.start();
  const faults: string[] = [];
  const expect = (what: string, isSo: boolean) => isSo || faults.push(`${what}\n${program.logTail(5)}`);
  const answer = await fetch(`${url}/hello`);
  expect('it does not say hello', answer.status === 200 && (await answer.text()).includes('Hello'));
  const requestId = answer.headers.get('x-request-id');
  const metrics = await (await fetch(`${url}/metrics`)).text();
  expect('its requests are not counted', /^http_requests_total\{.*endpoint="\/hello".*\} 1$/m.test(metrics));
  expect('it does not say who it is', /^app_info\{.*environment="staging".*\} 1$/m.test(metrics));
  const health = (await (await fetch(`${url}/health`)).json()) as { status: string };
  expect('it is not healthy', ['healthy', 'degraded'].includes(health.status));
  const { status } = await program.stop();
  expect(`it ended with status ${status}`, status === 0);
  const lines = readFileSync(program.logFile, 'utf8').trim().split('\n');
  const records = lines.flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Record<string, unknown>] : []));
  const said = records.find(({ message }) => message === 'Somebody says hello');
  expect('its lines lack the request', said?.service === name && said.request_id === requestId);
  expect('its last line is lost', String(records.at(-1)?.message).endsWith('ended with exit status 0'));
  return faults;
}

function versionOf(name: string): string {
  const file = join(ROOT, 'node_modules', name, 'package.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

/** Throws with the output of a command that fails. */
function run(command: string, args: readonly string[], cwd: string): void {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    timeout: INSTALL_LIMIT_MS,
  });
  if (status === 0) return;
  throw error ?? new Error(`${command} ${args.join(' ')} ended with status ${status}\n${stdout}${stderr}`);
}
