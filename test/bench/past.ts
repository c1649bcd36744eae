import type { DatabaseServer } from '../harness/database-server.ts';

/**
 * Past alerts, resolved within the last 90 days, each with its two events, as if they had gone through the hub.
 */
export async function seedPast(database: DatabaseServer, url: string, count: number): Promise<void> {
  await database.query(
    url,
    `INSERT INTO alerts (fingerprint, content, name, severity, labels, annotations, generator_url, state, current,
       timeout, occurrences, starts_at, ends_at, received_at, last_seen_at)
     SELECT hashtextextended('past' || n, 0), hashtextextended('content' || n, 0), 'PastAlert' || n % 40,
       (ARRAY['critical', 'high', 'medium', 'low'])[n % 4 + 1],
       jsonb_build_object('alertname', 'PastAlert' || n % 40, 'cluster', 'cluster-' || n % 5, 'instance', 'host-' || n,
         'job', 'job-' || n % 8, 'namespace', 'team-' || n % 12, 'pod', 'pod-' || n, 'severity', 'high'),
       '{"summary": "It was above its limit", "description": "For more than five minutes"}',
       'http://prometheus.example.com/graph?g0.expr=up', 'resolved', true, false, 1 + n % 30,
       started, started + interval '10 minutes', started, started + interval '10 minutes'
     FROM (SELECT n, now() - interval '1 day' - n * interval '90 days' / ${count} AS started
           FROM generate_series(1, ${count}) AS n) AS past`,
    `INSERT INTO alert_events (alert_id, type, at, actor)
     SELECT id, type, at, 'key:prometheus' FROM alerts,
       LATERAL (VALUES ('fired', starts_at), ('resolved', ends_at)) AS event (type, at)
     WHERE state = 'resolved'`,
  );
  await settle(database, url);
}

/** What autovacuum and the checkpointer do within the next minutes, done now: the disk has nothing else to write. */
export async function settle(database: DatabaseServer, url: string): Promise<void> {
  await database.query(url, 'VACUUM ANALYZE', 'CHECKPOINT');
}
