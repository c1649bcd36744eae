import { Message } from './protobuf.js';

export type Attributes = Record<string, unknown>;

/** A span as it came over the wire. */
export interface ReceivedSpan {
  traceId: string;
  spanId: string;
  /** Empty for the first of a trace. */
  parentSpanId: string;
  name: string;
  kind: 'unspecified' | 'internal' | 'server' | 'client' | 'producer' | 'consumer';
  startedAt: bigint;
  endedAt: bigint;
  attributes: Attributes;
  events: { name: string; attributes: Attributes }[];
  status: { code: 'unset' | 'ok' | 'error'; message: string };
  /** The name of the instrumentation that made it. */
  scope: string;
  resource: Attributes;
}

const kinds = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'] as const;
const codes = ['unset', 'ok', 'error'] as const;

/**
 * The spans of an ExportTraceServiceRequest. Numbers as in opentelemetry/proto/trace/v1/trace.proto, version 1.
 * https://github.com/open-telemetry/opentelemetry-proto
 */
export function decodeSpans(request: Buffer): ReceivedSpan[] {
  return new Message(request).messages(1).flatMap((resourceSpans) => {
    const resource = attributesOf(resourceSpans.messages(1)[0], 1);
    return resourceSpans.messages(2).flatMap((scopeSpans) => {
      const scope = scopeSpans.messages(1)[0]?.text(1) ?? '';
      return scopeSpans.messages(2).map((span) => decodeSpan(span, scope, resource));
    });
  });
}

function decodeSpan(span: Message, scope: string, resource: Attributes): ReceivedSpan {
  const [status] = span.messages(15);
  return {
    traceId: span.bytes(1).toString('hex'),
    spanId: span.bytes(2).toString('hex'),
    parentSpanId: span.bytes(4).toString('hex'),
    name: span.text(5),
    kind: kinds[Number(span.number(6))] ?? 'unspecified',
    startedAt: span.number(7),
    endedAt: span.number(8),
    attributes: attributesOf(span, 9),
    events: span.messages(11).map((event) => ({ name: event.text(2), attributes: attributesOf(event, 3) })),
    status: { code: codes[Number(status?.number(3) ?? 0n)] ?? 'unset', message: status?.text(2) ?? '' },
    scope,
    resource,
  };
}

function attributesOf(message: Message | undefined, field: number): Attributes {
  const pairs = message?.messages(field) ?? [];
  return Object.fromEntries(pairs.map((pair) => [pair.text(1), valueOf(pair.messages(2)[0])]));
}

/** An AnyValue: string, bool, int, double, array; the rest stays unread. */
function valueOf(value: Message | undefined): unknown {
  if (!value) return undefined;
  if (value.has(1)) return value.text(1);
  if (value.has(2)) return value.number(2) === 1n;
  if (value.has(3)) return Number(BigInt.asIntN(64, value.number(3)));
  if (value.has(4)) {
    const bits = Buffer.alloc(8);
    bits.writeBigUInt64LE(value.number(4));
    return bits.readDoubleLE();
  }
  return value.messages(5)[0]?.messages(1).map(valueOf);
}
