import { Injectable } from '@nestjs/common';
import { type AlertFilter, AlertsReader, type AlertView } from './alerts-reader.js';

/** The last record of an export: whether it is whole, and if not, why, and where the next one begins. */
export interface ExportEnd {
  complete: boolean;
  /** Alerts that were written. */
  count: number;
  reason?: string;
  /** Pass it as `before`. */
  next?: string;
}

const CHUNK = 500;

/** Every alert that matches, however many, in chunks: the reader sets the pace. */
@Injectable()
export class AlertsExport {
  constructor(private readonly reader: AlertsReader) {}

  /**
   * One JSON object a line, the latest alert first, then one line `{"end": ExportEnd}`. A caller without that line has no
   * whole export. When `signal` aborts, or the database fails on the way, the end says how far it came.
   */
  async *lines(filter: Omit<AlertFilter, 'limit'>, signal: AbortSignal): AsyncGenerator<string, void> {
    let count = 0;
    let next = filter.before;
    const end = (fields: Pick<ExportEnd, 'complete' | 'reason'>) =>
      `${JSON.stringify({ end: { ...fields, count, ...(!fields.complete && next && { next }) } satisfies ExportEnd })}\n`;
    for (;;) {
      if (signal.aborted) {
        yield end({ complete: false, reason: 'the server is stopping' });
        return;
      }
      let page: { alerts: AlertView[]; next?: string };
      try {
        page = await this.reader.page({ ...filter, before: next, limit: CHUNK });
      } catch (error) {
        // Nothing was sent yet: the error is the answer.
        if (count === 0) throw error;
        yield end({ complete: false, reason: 'the database could not be read' });
        return;
      }
      if (page.alerts.length > 0) yield page.alerts.map((alert) => `${JSON.stringify({ alert })}\n`).join('');
      count += page.alerts.length;
      if (page.next === undefined) {
        yield end({ complete: true });
        return;
      }
      next = page.next;
    }
  }
}
