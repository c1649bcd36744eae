/**
 * The image and the development compose file, on a real engine: what is in the image, what its commands do under the
 * restrictions of production, and how a developer's edit becomes live.
 */
import { rm } from 'node:fs/promises';
import { buildImage, docker, hasDocker, removeImage } from '../../harness/docker.ts';
import { type Cleanup, openFolder } from '../../harness/processes.ts';
import type { CheckResult } from '../checks.ts';
import { check } from './check.ts';
import { commands } from './commands.ts';
import { contents } from './contents.ts';
import { development } from './development.ts';
import { copyWorkspace } from './workspace-copy.ts';

export async function image(_options: { short: boolean }, cleanup: Cleanup): Promise<CheckResult[]> {
  if (!(await hasDocker())) throw new Error('no Docker engine answers');
  const workspace = await openFolder('image');
  cleanup.add('its folder', () => rm(workspace, { recursive: true, force: true }));
  await copyWorkspace(workspace);

  const build = { version: '9.8.7-drill', gitSha: '0123456789abcdef', buildTime: '2026-01-02T03:04:05Z' };
  const [tag, developmentTag] = [`eyrie:image-drill-${process.pid}`, `eyrie:image-drill-${process.pid}-development`];
  for (const name of [tag, developmentTag]) cleanup.add(name, () => removeImage(name));
  const started = Date.now();
  const buildArgs = { VERSION: build.version, GIT_SHA: build.gitSha, BUILD_TIME: build.buildTime };
  await buildImage(tag, { context: workspace, target: 'production', buildArgs });
  await buildImage(developmentTag, { context: workspace, target: 'development' });
  process.stdout.write(`built in ${((Date.now() - started) / 1000).toFixed(1)} s\n`);

  const built = { tag, developmentTag, workspace, ...build };
  return [
    await check('K1: the Dockerfile passes its linter', async () => {
      const { status, stdout, stderr } = await docker(['build', '--check', '.'], { cwd: workspace });
      return status === 0 ? [] : [`${stdout}${stderr}`];
    }),
    ...(await contents(built)),
    ...(await commands(built, cleanup)),
    ...(await development(workspace, cleanup)),
  ];
}
