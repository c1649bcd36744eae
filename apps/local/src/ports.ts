import { once } from 'node:events';
import { createServer } from 'node:net';
import { LaunchError } from './launch-error.js';

/** A port and the variable that sets it. */
export interface NamedPort {
  variable: string;
  port: number;
}

/**
 * Checks the ports before anything is started.
 * @throws LaunchError that names the first one that cannot be had, and its variable
 */
export async function requireFreePorts(ports: readonly NamedPort[]): Promise<void> {
  for (const [index, { variable, port }] of ports.entries()) {
    const twin = ports.slice(0, index).find((other) => other.port === port);
    if (twin)
      throw new LaunchError(`${twin.variable} and ${variable} are both ${port}: set one of them to another port.`);
    // Some systems let one program listen on all addresses and another on loopback; both must be free.
    for (const host of [undefined, '127.0.0.1']) await requireFree(variable, port, host);
  }
}

async function requireFree(variable: string, port: number, host: string | undefined): Promise<void> {
  const server = createServer().listen({ port, host });
  try {
    await once(server, 'listening');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'EADDRINUSE' ? 'is taken by another program' : `cannot be listened on (${message})`;
    throw new LaunchError(`Port ${port} ${why}; set ${variable} to another port.`, { cause: error });
  }
  server.close();
  await once(server, 'close');
}
