import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { read } from './kernel-files.js';

/** The groups that this process is in, as folders from its own up to the top; the limits of all of them hold. */
export interface Cgroup {
  version: 1 | 2;
  folders: string[];
}

const mounts = '/sys/fs/cgroup';

/**
 * Where a controller (`cpu`, `cpuacct`, `memory`) governs this process: in the unified hierarchy (v2), in its own (v1),
 * or nowhere. See cgroups(7) for `/proc/self/cgroup`.
 */
export function cgroupOf(controller: string, root: string): Cgroup | undefined {
  const groups = (read(root, '/proc/self/cgroup') ?? '').split('\n').map((line) => {
    const [, controllers = '', ...path] = line.split(':');
    return { controllers, path: path.join(':') };
  });
  const own = groups.find(({ controllers }) => controllers.split(',').includes(controller));
  if (own) {
    // Controllers that share a hierarchy, such as cpu,cpuacct, are mounted under either name, or under both.
    const mount = [controller, own.controllers].map((name) => join(root, mounts, name)).find(existsSync);
    return mount === undefined ? undefined : { version: 1, folders: upwards(mount, own.path) };
  }
  const unified = groups.find(({ controllers }) => controllers === '');
  if (!unified || !existsSync(join(root, mounts, 'cgroup.controllers'))) return undefined;
  return { version: 2, folders: upwards(join(root, mounts), unified.path) };
}

/**
 * The folders of a group and its parents. The path is the host's where a container has no cgroup namespace of its own;
 * then only what is mounted, which is the container's, exists.
 */
function upwards(mount: string, path: string): string[] {
  const folders: string[] = [];
  const below = path.startsWith('/..') ? '/' : path; // a group outside of the namespace
  for (let folder = join(mount, below); folder.length > mount.length; folder = dirname(folder)) {
    if (existsSync(folder)) folders.push(folder.replace(/\/$/, ''));
  }
  const top = mount.replace(/\/$/, '');
  return folders.includes(top) ? folders : [...folders, top];
}
