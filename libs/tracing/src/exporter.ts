import { OTLPTraceExporter as GrpcExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as HttpExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import type { SpanExporter } from '@opentelemetry/sdk-trace';
import { collectorUrl, parseHeaders, type TracingSettings } from './tracing.config.js';

/** How long the collector may take to accept a batch. */
export const exportLimitMs = 5_000;

/** OTLP in the protocol of the settings, over one connection, one batch at a time. */
export async function createExporter(settings: TracingSettings): Promise<SpanExporter> {
  const url = collectorUrl(settings);
  const options = { url, timeoutMillis: exportLimitMs, userAgent: 'eyrie' };
  const headers = parseHeaders(settings.headers ?? '') ?? {};
  if (settings.protocol === 'http') return new HttpExporter({ ...options, headers });
  // The exporter itself would only load it with the first batch, and hold up requests meanwhile.
  const { Metadata } = await import('@grpc/grpc-js');
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  return new GrpcExporter({ ...options, metadata });
}
