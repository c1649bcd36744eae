import type { Context } from '@opentelemetry/api';
import type { ReadableSpan, Span, SpanProcessor } from '@opentelemetry/sdk-trace';
import { redactText } from './redaction.js';

/** What errors say may quote secrets, whoever has recorded them: it is redacted before it leaves the process. */
export class RedactingProcessor implements SpanProcessor {
  onStart(_span: Span, _context: Context): void {}

  onEnd(span: ReadableSpan): void {
    if (span.status.message) span.status.message = redactText(span.status.message);
    for (const { attributes } of span.events) {
      for (const name in attributes) {
        const value = attributes[name];
        if (typeof value === 'string') attributes[name] = redactText(value);
      }
    }
  }

  async forceFlush(): Promise<void> {}

  async shutdown(): Promise<void> {}
}
