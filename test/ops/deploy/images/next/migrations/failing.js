/** Fails half-way: what it has done until then must not remain. Later than the other, which is applied by then. */
export class NextMigration {
  name = 'FailingMigration1999000000001';

  async up(runner) {
    await runner.query('CREATE TABLE half_done (id int)');
    await runner.query('SELECT 1 / 0');
  }
}
