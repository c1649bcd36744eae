import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Lets the next notification of a group and integration start. A volatile function sees what was committed before it was
 * called, also within a statement that began earlier: whoever calls it has locked the line in its log, and so misses
 * nothing that joined the line before.
 */
export class NextInLine1700000000050 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE FUNCTION start_next_in_line(of_group uuid, of_integration text, at timestamptz)
      RETURNS SETOF notifications LANGUAGE sql VOLATILE AS $$
        UPDATE notifications SET state = 'pending', retry_since = at
        WHERE id = (SELECT id FROM notifications
                    WHERE group_id = of_group AND integration = of_integration AND state = 'waiting'
                    ORDER BY id LIMIT 1)
        RETURNING *
      $$`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP FUNCTION start_next_in_line`);
  }
}
