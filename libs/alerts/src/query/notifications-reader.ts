import { Injectable } from '@nestjs/common';
import { Database } from 'eyrie/database';
import { timeText } from '../dispatch/render.js';
import { type NotificationPayload } from '../notify/index.js';
import { type AlertEventView, type AlertView } from './alerts-reader.js';

export const notificationStates = ['waiting', 'pending', 'delivered', 'dead'] as const;
export type NotificationState = (typeof notificationStates)[number];

/** A notification to one integration of a receiver. Times are RFC 3339. */
export interface NotificationView {
  /** Also the idempotency key that the receiver gets. */
  id: string;
  receiver: string;
  integration: string;
  state: NotificationState;
  groupKey: string;
  status: 'firing' | 'resolved';
  /** How many alerts it tells of. */
  alerts: number;
  attempts: number;
  error: string | null;
  createdAt: string;
  settledAt: string | null;
}

export interface AttemptView {
  number: number;
  at: string;
  durationMs: number;
  outcome: string;
  statusCode: number | null;
  error: string | null;
}

export interface NotificationDetails extends NotificationView {
  payload: NotificationPayload;
  attemptsMade: AttemptView[];
}

export interface NotificationFilter {
  state?: NotificationState;
  receiver?: string;
  before?: string;
  limit: number;
}

type NotificationRow = Omit<NotificationView, 'createdAt' | 'settledAt'> & {
  createdAt: number;
  settledAt: number | null;
};

const COLUMNS = `id, receiver, integration, state, payload->>'groupKey' AS "groupKey", payload->>'status' AS status,
  cardinality(fingerprints) AS alerts, attempts, error, extract(epoch FROM created_at)::float8 AS "createdAt",
  extract(epoch FROM settled_at)::float8 AS "settledAt"`;

/** Answers what was told, to whom, and how that went. */
@Injectable()
export class NotificationsReader {
  constructor(private readonly database: Database) {}

  /** A page of notifications, the latest first. */
  async page(filter: NotificationFilter): Promise<{ notifications: NotificationView[]; next?: string }> {
    const rows = await this.database.query<NotificationRow>(
      `SELECT ${COLUMNS} FROM notifications
       WHERE ($1::text IS NULL OR state = $1) AND ($2::text IS NULL OR receiver = $2) AND ($3::uuid IS NULL OR id < $3)
       ORDER BY id DESC LIMIT $4`,
      [filter.state ?? null, filter.receiver ?? null, filter.before ?? null, filter.limit + 1],
    );
    const notifications = rows.slice(0, filter.limit).map(toView);
    return rows.length > filter.limit ? { notifications, next: notifications.at(-1)!.id } : { notifications };
  }

  async byId(id: string): Promise<NotificationDetails | undefined> {
    const [row] = await this.database.query<NotificationRow & { payload: NotificationPayload }>(
      `SELECT ${COLUMNS}, payload FROM notifications WHERE id = $1`,
      [id],
    );
    if (!row) return undefined;
    const { payload, ...view } = row;
    return { ...toView(view), payload, attemptsMade: await this.attempts(id) };
  }

  /**
   * The latest notifications that told of an alert, found by the groups that its history names: those from its first event
   * to the next episode of the same labels.
   */
  async ofAlert(alert: AlertView, events: readonly AlertEventView[], limit = 100): Promise<NotificationView[]> {
    const groups = new Set(events.flatMap(({ data }) => data?.groups ?? []));
    const rows = await this.database.query<NotificationRow>(
      `SELECT ${COLUMNS} FROM notifications
       WHERE group_id = ANY($1::uuid[]) AND fingerprints @> ARRAY[$2::bigint] AND created_at >= $3
         AND created_at < CASE WHEN EXISTS (SELECT FROM alerts WHERE id = $5 AND current) THEN 'infinity' ELSE coalesce(
           (SELECT received_at FROM alerts WHERE name = $6 AND id > $5 AND fingerprint = $2 ORDER BY id LIMIT 1),
           'infinity') END
       ORDER BY id DESC LIMIT $4`,
      [
        [...groups],
        BigInt.asIntN(64, BigInt(`0x${alert.fingerprint}`)).toString(),
        events[0]?.at ?? alert.startsAt,
        limit,
        alert.id,
        alert.name,
      ],
    );
    return rows.map(toView);
  }

  private async attempts(id: string): Promise<AttemptView[]> {
    const rows = await this.database.query<Omit<AttemptView, 'at'> & { at: number }>(
      `SELECT number, extract(epoch FROM at)::float8 AS at, duration_ms AS "durationMs", outcome,
         status_code AS "statusCode", error
       FROM notification_attempts WHERE notification_id = $1 ORDER BY number`,
      [id],
    );
    return rows.map((row) => ({ ...row, at: timeText(row.at) }));
  }
}

function toView(row: NotificationRow): NotificationView {
  return {
    ...row,
    createdAt: timeText(row.createdAt),
    settledAt: row.settledAt === null ? null : timeText(row.settledAt),
  };
}
