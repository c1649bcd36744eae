import { hostname } from 'node:os';
import { Logger } from '@nestjs/common';
import { diag, DiagLogLevel } from '@opentelemetry/api';
import {
  CompositePropagator,
  setGlobalErrorHandler,
  W3CBaggagePropagator,
  W3CTraceContextPropagator,
} from '@opentelemetry/core';
import { defaultResource, type Resource, resourceFromAttributes } from '@opentelemetry/resources';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { BatchSpanProcessor, ParentBasedSampler, TraceIdRatioBasedSampler } from '@opentelemetry/sdk-trace';
import { ATTR_SERVICE_NAME, ATTR_SERVICE_VERSION } from '@opentelemetry/semantic-conventions';
import { register, supportsSyncHooks } from 'import-in-the-middle/register-hooks.mjs';
import { CollectorLog } from './collector-log.js';
import { createExporter, exportLimitMs } from './exporter.js';
import { hookedModules, instrumentations } from './instrumentations.js';
import { RedactingProcessor } from './redacting-processor.js';
import type { RunningTracing } from './running.js';
import { collectorUrl, type TracingSettings } from './tracing.config.js';

export interface TracedService {
  service: string;
  version: string;
  environment: string;
}

/** Longer texts, such as generated SQL, are cut. */
const longestAttribute = 4_096;

/**
 * OpenTelemetry's SDK with what the settings say: traces only, no metrics and no logs, and nothing of its own reading of
 * the environment that could say otherwise.
 */
export async function startSdk(settings: TracingSettings, service: TracedService): Promise<RunningTracing> {
  const logger = new Logger('Tracing');
  const log = new CollectorLog((message, fields) => logger.warn({ message, ...fields }), collectorUrl(settings));
  if (supportsSyncHooks()) register({ include: hookedModules });
  else logger.warn(`Node.js ${process.version} is too old to trace PostgreSQL and Redis: update it`);
  const sdk = new NodeSDK({
    resource: describe(service),
    autoDetectResources: false,
    textMapPropagator: new CompositePropagator({
      propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()],
    }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(settings.sampleRate) }),
    spanLimits: { attributeValueLengthLimit: longestAttribute },
    spanProcessors: [
      new RedactingProcessor(),
      new BatchSpanProcessor({
        exporter: await createExporter(settings),
        maxQueueSize: 4_096,
        maxExportBatchSize: 512,
        scheduledDelayMillis: 2_000,
        exportTimeoutMillis: 2 * exportLimitMs,
      }),
    ],
    metricReaders: [],
    logRecordProcessors: [],
    instrumentations: instrumentations(),
  });
  // After the constructor, which installs a logger of its own where OTEL_LOG_LEVEL is set.
  takeComplaints(log);
  sdk.start();
  return {
    async stop(limitMs) {
      const { promise, reject } = Promise.withResolvers<never>();
      const timer = setTimeout(() => reject(new Error(`the collector took longer than ${limitMs} ms`)), limitMs);
      await Promise.race([sdk.shutdown(), promise])
        .catch((error: unknown) => log.tell(error))
        .finally(() => clearTimeout(timer));
    },
  };
}

function describe({ service, version, environment }: TracedService): Resource {
  return defaultResource().merge(
    resourceFromAttributes({
      [ATTR_SERVICE_NAME]: service,
      [ATTR_SERVICE_VERSION]: version,
      'deployment.environment.name': environment,
      'deployment.environment': environment, // its older name, by which most dashboards still ask
      'host.name': hostname(),
      'process.pid': process.pid,
    }),
  );
}

function takeComplaints(log: CollectorLog): void {
  const tell = (message: string, ...rest: unknown[]) => log.tell([message, ...rest].map(String).join(' '));
  const silent = () => undefined;
  diag.setLogger(
    { error: tell, warn: tell, info: silent, debug: silent, verbose: silent },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
  setGlobalErrorHandler((error) => log.tell(error));
}
