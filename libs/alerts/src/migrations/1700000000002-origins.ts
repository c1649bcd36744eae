import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which request an alert and a notification descend from: its id and its trace. */
export class Origins1700000000002 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE alerts ADD COLUMN origin json`);
    await runner.query(`ALTER TABLE notifications ADD COLUMN origin json`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE notifications DROP COLUMN origin`);
    await runner.query(`ALTER TABLE alerts DROP COLUMN origin`);
  }
}
