import { collectClusterMetrics } from './cluster-collector.js';
import type { MetricsSettings } from './metrics.config.js';
import { MetricsServer } from './metrics-server.js';

/**
 * Serves the totals of a cluster on METRICS_PORT, from its primary process; the workers leave that port alone. Without
 * METRICS_PORT, or with metrics turned off, it does nothing: then each worker answers on the app's port, or none does.
 * @returns the server, to be closed last
 * @throws if the port is taken
 */
export async function serveClusterMetrics({
  enabled,
  host,
  port,
}: MetricsSettings): Promise<MetricsServer | undefined> {
  if (!enabled || port === undefined) return undefined;
  const metrics = collectClusterMetrics();
  return MetricsServer.listen({ host, port }, (format) => metrics.scrape(format));
}
