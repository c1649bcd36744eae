import cluster from 'node:cluster';
import { takeSignalsFrom } from 'eyrie/lifecycle';
import { ClusterMember } from './member.js';
import { becomeMember } from './membership.js';
import { runPrimary } from './primary.js';
import { processCount } from './process-count.js';
import type { ProcessesSpec } from './processes-spec.js';

const longestLingerMs = 5_000;

/**
 * Runs the app in as many processes as the settings say, behind one port. Where that is one, which need not be recycled,
 * it is this process; else this one becomes the primary, which forks the others, replaces them as they crash or have
 * answered MAX_REQUESTS, and does not return: it ends the process with the status of the container.
 *
 * @example await runProcesses({ name: 'api', settings: settings.server, lifecycle: settings.lifecycle, run: () => import('./bootstrap.js') })
 */
export async function runProcesses(spec: ProcessesSpec): Promise<void> {
  const { settings, lifecycle, run } = spec;
  const { worker } = cluster;
  if (worker) {
    const { maxRequests, maxRequestsJitter } = settings;
    const lingerMs = Math.min(longestLingerMs, lifecycle.shutdownTimeoutMs / 4);
    const member = new ClusterMember({ maxRequests, maxRequestsJitter, lingerMs }, process);
    worker.once('disconnect', () => {
      worker.exitedAfterDisconnect = true; // else Node ends the process on the spot
      member.orphaned();
    });
    takeSignalsFrom(member.signals);
    becomeMember(member);
    return run();
  }
  const count = processCount(settings.concurrency, settings.memoryPerProcess);
  if (count === 1 && settings.maxRequests === 0) return run();
  return runPrimary(spec, count);
}
