import { readFile, realpath, statfs } from 'node:fs/promises';
import { join } from 'node:path';

/** The file system that holds a path; sizes in bytes. */
export interface DiskUsage {
  /** The device that is mounted there, such as `/dev/sda1`; the mount point where it is none, as in containers. */
  device: string;
  path: string;
  totalBytes: number;
  usedBytes: number;
  /** What an ordinary user can still write. */
  availableBytes: number;
  /** As `df` counts: used of what an ordinary user can have. */
  usedPercent: number;
}

/**
 * How full the file system of `path` is. It waits as long as the file system does (a dead network mount: for ever), but
 * not on the event loop.
 * @param root where `/proc` is found
 * @throws what statfs does: ENOENT where there is no such path
 */
export async function diskUsage(path: string, root = '/'): Promise<DiskUsage> {
  const { bsize, blocks, bfree, bavail } = await statfs(path);
  const [usedBytes, availableBytes] = [(blocks - bfree) * bsize, bavail * bsize];
  const reachable = usedBytes + availableBytes;
  return {
    device: await deviceOf(path, root),
    path,
    totalBytes: blocks * bsize,
    usedBytes,
    availableBytes,
    usedPercent: reachable > 0 ? (usedBytes / reachable) * 100 : 0,
  };
}

/** See proc_pid_mountinfo(5): `36 35 98:0 / /mnt rw,noatime master:1 - ext4 /dev/sda1 rw`. */
async function deviceOf(path: string, root: string): Promise<string> {
  try {
    const [place, table] = await Promise.all([realpath(path), readFile(join(root, '/proc/self/mountinfo'), 'utf8')]);
    let found = { point: '', device: path };
    for (const line of table.trim().split('\n')) {
      const [left = '', right = ''] = line.split(' - ');
      const point = unescaped(left.split(' ')[4] ?? '');
      const source = unescaped(right.split(' ')[1] ?? '');
      const holds = point === '/' || place === point || place.startsWith(`${point}/`);
      // Of two on the same point the later one covers the earlier.
      if (holds && point.length >= found.point.length) {
        found = { point, device: source.startsWith('/') ? source : point };
      }
    }
    return found.device;
  } catch {
    return path; // no such table outside of Linux
  }
}

/** The kernel writes blanks and backslashes as octal numbers. */
function unescaped(text: string): string {
  return text.replace(/\\(\d{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)));
}
