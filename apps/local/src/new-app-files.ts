import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';

/** Why no app was made; nothing was written then. */
export class NewAppError extends Error {}

/** Where the template lies in the workspace. Its files end in `.txt`, so that nothing takes them for code. */
const template = 'apps/local/template';
const placeholder = /__NAME__/g;

interface NestCli {
  projects: Record<string, unknown>;
}

/**
 * Writes an app of the given name into the workspace: its sources, its spec, its tsconfig, its place in `nest-cli.json`.
 * @returns the files that were written, relative to the workspace
 * @throws NewAppError when the name will not do, or is taken
 */
export async function newApp(workspace: string, name: string): Promise<string[]> {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name) || name.length > 40) {
    throw new NewAppError(`"${name}" will not do: a name is in kebab-case, such as order-service`);
  }
  const folder = join(workspace, 'apps', name);
  if (existsSync(folder)) throw new NewAppError(`apps/${name} is there already`);
  const cliFile = join(workspace, 'nest-cli.json');
  const cli = JSON.parse(await readFile(cliFile, 'utf8')) as NestCli;
  if (name in cli.projects) throw new NewAppError(`nest-cli.json has a project ${name} already`);

  const files = new Map<string, string>();
  for (const file of await readdir(join(workspace, template), { recursive: true })) {
    if (!file.endsWith('.txt')) continue;
    const content = await readFile(join(workspace, template, file), 'utf8');
    files.set(join(folder, file.slice(0, -'.txt'.length)), content.replaceAll(placeholder, name));
  }
  const root = `apps/${name}`;
  cli.projects[name] = {
    type: 'application',
    root,
    entryFile: `${root}/src/main`,
    sourceRoot: `${root}/src`,
    compilerOptions: { tsConfigPath: `${root}/tsconfig.app.json` },
  };
  files.set(cliFile, `${JSON.stringify(cli, undefined, 2)}\n`);

  for (const [file, content] of files) {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
  }
  return [...files.keys()].map((file) => relative(workspace, file));
}
