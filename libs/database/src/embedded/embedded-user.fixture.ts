import { embeddedDatabase } from './embedded-database.js';

/** A program that uses the embedded database in the folder it is given until its input ends; for the specs. */
const { url, adopted, release } = await embeddedDatabase({ directory: process.argv[2]! });
process.stdout.write(`${JSON.stringify({ url, adopted })}\n`);
process.stdin.resume().once('end', () => {
  void release().then(() => process.exit(0));
});
