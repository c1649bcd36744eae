import { formatDuration, type Labels } from '../config/index.js';
import { timeText } from '../dispatch/render.js';
import { type AlertRequest, type Severity } from '../intake/alert-request.js';
import { type HeartbeatView } from './heartbeat.js';

/** A row of heartbeats; times in seconds since 1970. */
export interface HeartbeatRow {
  name: string;
  period_ms: number;
  grace_ms: number;
  severity: Severity;
  labels: Labels;
  message: string | null;
  matchers: string[];
  declared: boolean;
  removed: boolean;
  alert: AlertRequest | null;
  created_at: number;
  last_beat_at: number | null;
  /** The last beat or declaration, from which period and grace are counted. */
  counts_from: number;
  missing_since: number | null;
}

export function toView(row: HeartbeatRow, now: number): HeartbeatView {
  const deadline = row.counts_from + (row.period_ms + row.grace_ms) / 1000;
  const missing = deadline * 1000 <= now;
  return {
    name: row.name,
    period: formatDuration(row.period_ms),
    grace: formatDuration(row.grace_ms),
    severity: row.severity,
    labels: row.labels,
    message: row.message,
    matchers: row.matchers,
    declared: row.declared,
    state: missing ? 'missing' : row.last_beat_at === null ? 'waiting' : 'alive',
    createdAt: timeText(row.created_at),
    lastBeatAt: row.last_beat_at === null ? null : timeText(row.last_beat_at),
    deadline: timeText(deadline),
    missingSince: missing ? timeText(deadline) : null,
  };
}
