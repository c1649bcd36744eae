import { defineSettings, type Fault, flag, setting, type SettingsOf } from 'eyrie/config';
import * as z from 'zod';

const exporters = 'OTEL_EXPORTER_OTLP';

/** Whether and where spans go. Names that OpenTelemetry has itself are kept, with its meaning. */
export const tracingSettings = defineSettings(
  {
    enabled: setting('TRACING_ENABLED', flag().default(false), {
      description: 'Whether requests, jobs and what they call are traced. Off, nothing of OpenTelemetry is loaded.',
    }),
    disabled: setting('OTEL_SDK_DISABLED', flag().default(false), {
      description: "OpenTelemetry's own switch: true turns tracing off, whatever TRACING_ENABLED says.",
    }),
    sampleRate: setting('TRACE_SAMPLE_RATE', z.coerce.number().min(0).max(1).default(0.01), {
      description: 'The share of traces to record. A caller who sends `traceparent` has decided that already.',
      defaults: { development: '1' },
    }),
    protocol: setting('TRACE_PROTOCOL', z.enum(['grpc', 'http']).default('grpc'), {
      description: 'OTLP over gRPC, or over HTTP with protobuf.',
    }),
    endpoint: setting(`${exporters}_ENDPOINT`, z.url({ protocol: /^https?$/ }).optional(), {
      description:
        'The collector: http://localhost:4317, or http://localhost:4318 for TRACE_PROTOCOL=http, to which /v1/traces is added.',
      example: 'http://otel-collector:4317',
    }),
    headers: setting(`${exporters}_HEADERS`, z.string().optional(), {
      description: 'Headers for the collector: key=value, separated by commas, values URL-encoded.',
      secret: true,
    }),
  },
  {
    check({ headers }): Fault[] {
      if (headers === undefined || parseHeaders(headers)) return [];
      return [{ name: `${exporters}_HEADERS`, wanted: 'key=value pairs separated by commas', given: '[redacted]' }];
    },
  },
);

export type TracingSettings = SettingsOf<typeof tracingSettings>;

/** The headers of a list such as `authorization=Bearer%20abc,x-tenant=7`; `undefined` if it is none. */
export function parseHeaders(text: string): Record<string, string> | undefined {
  const headers: Record<string, string> = {};
  for (const pair of text.split(',')) {
    const [, name, value] =
      /^\s*([\w!#$%&'*+.^`|~-]+)\s*=\s*([\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)\s*$/.exec(pair) ?? [];
    if (name === undefined || value === undefined) return undefined;
    try {
      headers[name.toLowerCase()] = decodeURIComponent(value);
    } catch {
      return undefined;
    }
  }
  return headers;
}

/** Where spans are sent to. */
export function collectorUrl({ endpoint, protocol }: Pick<TracingSettings, 'endpoint' | 'protocol'>): string {
  if (protocol === 'grpc') return endpoint ?? 'http://localhost:4317';
  return `${(endpoint ?? 'http://localhost:4318').replace(/\/+$/, '')}/v1/traces`;
}
