/** What the next version adds is nothing to the one before: it may go on, and come back. */
export class NextMigration {
  name = 'ExpandingMigration1999000000000';

  async up(runner) {
    await runner.query('ALTER TABLE alerts ADD COLUMN runbook text');
  }
}
