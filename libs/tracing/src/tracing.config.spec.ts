import { describe, expect, it } from '@jest/globals';
import { loadSettings } from 'eyrie/config';
import { collectorUrl, parseHeaders, tracingSettings } from './tracing.config.js';

const load = (env: Record<string, string>) => loadSettings({ tracing: tracingSettings }, { env, cwd: '/' }).tracing;

describe('tracingSettings', () => {
  it('E1: traces nothing unless told, then all in development and one of a hundred elsewhere, over gRPC', () => {
    expect(load({})).toMatchObject({ enabled: false, disabled: false, sampleRate: 1, protocol: 'grpc' });
    expect(load({ ENVIRONMENT: 'staging' }).sampleRate).toBe(0.01);
    expect(load({ ENVIRONMENT: 'production', TRACE_SAMPLE_RATE: '0.5' }).sampleRate).toBe(0.5);
  });

  it.each([
    [{ TRACE_SAMPLE_RATE: '1.5' }, 'TRACE_SAMPLE_RATE'],
    [{ TRACE_PROTOCOL: 'udp' }, 'TRACE_PROTOCOL'],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4317' }, 'OTEL_EXPORTER_OTLP_ENDPOINT'],
    [{ OTEL_EXPORTER_OTLP_HEADERS: 'planted' }, 'OTEL_EXPORTER_OTLP_HEADERS'],
  ])('E1: refuses %j', (env, name) => {
    expect(() => load(env as unknown as Record<string, string>)).toThrow(name);
    expect(() => load(env as unknown as Record<string, string>)).not.toThrow('planted');
  });

  it('E1: knows where collectors listen, and adds the path of traces for HTTP', () => {
    const of = (env: Record<string, string>) => collectorUrl(load(env));
    const http = { TRACE_PROTOCOL: 'http' };
    expect(of({})).toBe('http://localhost:4317');
    expect(of(http)).toBe('http://localhost:4318/v1/traces');
    expect(of({ OTEL_EXPORTER_OTLP_ENDPOINT: 'https://otel:1' })).toBe('https://otel:1');
    expect(of({ ...http, OTEL_EXPORTER_OTLP_ENDPOINT: 'https://otel/tenant/' })).toBe('https://otel/tenant/v1/traces');
  });

  it('E1: reads headers as OpenTelemetry does', () => {
    expect(parseHeaders('Authorization=Bearer%20abc, x-key = a=b== ')).toEqual({
      authorization: 'Bearer abc',
      'x-key': 'a=b==',
    });
    for (const fault of ['', 'a', '=b', 'a=', 'a=b,,c=d', 'a=%zz', 'a b=c', 'a=\u00e9']) {
      expect(parseHeaders(fault)).toBeUndefined();
    }
  });
});
