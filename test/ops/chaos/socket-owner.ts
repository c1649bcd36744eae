import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Which of these processes holds the client's end of a loopback connection. Undefined where the system does not tell. */
export function socketOwner(clientPort: number, serverPort: number, pids: readonly number[]): number | undefined {
  try {
    const inode = inodeOf(clientPort, serverPort);
    return inode === undefined ? undefined : pids.find((pid) => holds(pid, `socket:[${inode}]`));
  } catch {
    return undefined;
  }
}

/** A line of `/proc/net/tcp`: number, local address, remote address, state, …; the inode is the tenth field. */
function inodeOf(clientPort: number, serverPort: number): string | undefined {
  const port = (address = '') => parseInt(address.split(':')[1] ?? '', 16);
  return readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .find((fields) => port(fields[1]) === clientPort && port(fields[2]) === serverPort)?.[9];
}

function holds(pid: number, link: string): boolean {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).some((fd) => {
    try {
      return readlinkSync(`${folder}/${fd}`) === link;
    } catch {
      return false;
    }
  });
}
