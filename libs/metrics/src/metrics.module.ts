import cluster from 'node:cluster';
import {
  type DynamicModule,
  Inject,
  Injectable,
  Logger,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { getToken } from '@willsoto/nestjs-prometheus';
import { setCollecting } from './collecting.js';
import { handInMetrics, joinCluster } from './cluster-worker.js';
import type { Metric } from './definition.js';
import type { MetricsSettings } from './metrics.config.js';
import { MetricsController } from './metrics.controller.js';
import { MetricsServer } from './metrics-server.js';
import { type AppInfo, registerNodeMetrics, sampleSystem } from './process-metrics.js';
import { scrape } from './scrape.js';

export interface MetricsOptions extends MetricsSettings, AppInfo {
  /** The app's name, for its log line about METRICS_PORT. */
  service: string;
  /** The disks to watch, by a path on each; `/` unless told. */
  diskPaths?: readonly string[];
}

const METRICS_OPTIONS = Symbol('METRICS_OPTIONS');

/** Metrics at `/metrics`: of the process, the container, HTTP, and whatever libraries and the app define. */
@Module({})
export class MetricsModule {
  static forRoot(options: MetricsOptions): DynamicModule {
    const { enabled, port } = options;
    setCollecting(enabled);
    if (!enabled) return { module: MetricsModule };
    return {
      module: MetricsModule,
      controllers: port === undefined ? [MetricsController] : [],
      providers: [{ provide: METRICS_OPTIONS, useValue: options }, MetricsRun],
    };
  }

  /**
   * Makes metrics injectable by their names, for classes that do not want to import the constant.
   * @example imports: [MetricsModule.forFeature([orders])]
   *          constructor(@InjectMetric('orders_total') private readonly orders: Counter<'shop'>)
   */
  static forFeature(metrics: readonly Metric[]): DynamicModule {
    const providers = metrics.map((metric) => ({ provide: getToken(metric.definition.name), useValue: metric }));
    return { module: MetricsModule, providers, exports: providers };
  }
}

/** From the app's start to its end: what is sampled, the port, the word to the cluster's primary. */
@Injectable()
class MetricsRun implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly stopSampling: () => void;
  private server: MetricsServer | undefined;

  constructor(@Inject(METRICS_OPTIONS) private readonly options: MetricsOptions) {
    registerNodeMetrics();
    this.stopSampling = sampleSystem(options, options.diskPaths ?? ['/']);
    joinCluster();
  }

  async onApplicationBootstrap(): Promise<void> {
    const { host, port, service } = this.options;
    if (port === undefined || cluster.isWorker) return; // in a cluster the primary serves it, once for all
    this.server = await MetricsServer.listen({ host, port }, scrape);
    const address = `${host.includes(':') ? `[${host}]` : host}:${this.server.port}`;
    new Logger('Metrics').log(`The metrics of ${service} are at http://${address}/metrics`);
  }

  async onApplicationShutdown(): Promise<void> {
    await handInMetrics();
    await this.server?.close();
    this.stopSampling();
  }
}
