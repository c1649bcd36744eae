/** Fails half-way: what it has done until then must not remain. */
export class NextMigration1999000000000 {
  name = 'NextMigration1999000000000';

  async up(runner) {
    await runner.query('CREATE TABLE half_done (id int)');
    await runner.query('SELECT 1 / 0');
  }
}
