/** Dumps: made while rows are written, refused when they are not ours or not whole, restored beside the live database and over it. */
import { appendFile, chmod, copyFile, mkdir, open, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { dockerOrThrow } from '../../harness/docker.ts';
import { type Stack, unless } from './stack.ts';

const REFUSED = 65;
const WRONG_USAGE = 2;

interface Manifest {
  name: string;
  migrations: string[];
  tables: Record<string, { rows: number; checksum: string }>;
}

const newest = (stack: Stack) => stack.inBackup('backup newest');
const manifestOf = async (stack: Stack, name: string) =>
  JSON.parse(await stack.inBackup(`cat /backups/dumps/${name}.json`)) as Manifest;
const databases = (stack: Stack) => stack.sql('SELECT string_agg(datname, $$ $$ ORDER BY datname) FROM pg_database');
const restarts = async (stack: Stack) =>
  dockerOrThrow(['inspect', '--format', '{{.State.StartedAt}}', ...(await stack.containerNames('worker'))]);

/** Two tables that grow together, each pair of rows in a transaction: any one moment has as many of one as of the other. */
export async function dumpWhileWriting(stack: Stack): Promise<string[]> {
  await stack.sql('CREATE TABLE pair_a (n serial, text text); CREATE TABLE pair_b (n serial, text text)');
  const insert = `INSERT INTO pair_a (text) SELECT repeat('x', 200) FROM generate_series(1, 50);
    INSERT INTO pair_b (text) SELECT repeat('y', 200) FROM generate_series(1, 50);`;
  let writing = true;
  const writer = (async () => {
    while (writing) await stack.sql(`BEGIN; ${insert} SELECT pg_sleep(0.05); ${insert} COMMIT;`);
  })();
  try {
    await sleep(1000);
    await stack.scriptOrThrow('backup');
  } finally {
    writing = false;
    await writer;
  }
  const name = await newest(stack);
  const { tables, migrations } = await manifestOf(stack, name);
  const [a, b] = [tables['public.pair_a']?.rows ?? -1, tables['public.pair_b']?.rows ?? -1];
  const jobs = Object.keys(tables).some((table) => table.startsWith('graphile_worker.'));
  await stack.scriptOrThrow('restore', name, '--into', 'beside');
  const restored = Number(await stack.sql('SELECT count(*) FROM pair_b', 'beside'));
  const owner = await stack.sql(
    "SELECT string_agg(DISTINCT tableowner, ' ') FROM pg_tables WHERE schemaname = 'public'",
    'beside',
  );
  const live = Number(await stack.sql('SELECT count(*) FROM pair_a'));
  return [
    ...unless(a === b && a > 0, `the manifest counts ${a} and ${b} rows`),
    ...unless(restored === b, `${restored} rows restored instead of ${b}`),
    ...unless(live > a, `nothing was written after the dump (${live} rows): this proves nothing`),
    ...unless(migrations.length > 3, `the manifest knows ${migrations.length} migrations`),
    ...unless(jobs, "the queue's tables, which have row-level security, are not in the dump"),
    ...unless(owner === 'eyrie', `the restored tables belong to ${owner}`),
  ];
}

export async function refusals(stack: Stack, folder: string): Promise<string[]> {
  const name = await newest(stack);
  const original = join(folder, 'original');
  await mkdir(original, { recursive: true });
  const [container] = await stack.containerNames('backup');
  for (const ending of ['dump.age', 'json']) {
    await dockerOrThrow(['cp', `${container}:/backups/dumps/${name}.${ending}`, `${original}/`]);
  }
  const before = [await databases(stack), await restarts(stack)];

  // A folder for each accident, with a copy that it happens to.
  const attempt = async (label: string, harm: (dump: string, manifest: string) => Promise<unknown>, reason: RegExp) => {
    const place = join(folder, label);
    await mkdir(place, { recursive: true });
    await chmod(place, 0o755);
    const [dump, manifest] = [join(place, `${name}.dump.age`), join(place, `${name}.json`)];
    await copyFile(join(original, `${name}.dump.age`), dump);
    await copyFile(join(original, `${name}.json`), manifest);
    await harm(dump, manifest);
    await Promise.all([dump, manifest].map((file) => chmod(file, 0o644)));
    const { status, stderr } = await stack.script('restore', dump, '--overwrite', '--yes');
    return unless(status === REFUSED && reason.test(stderr), `${label}: status ${status}, ${stderr.trim()}`);
  };
  const edit = async (manifest: string, change: (text: string) => string) =>
    writeFile(manifest, change(await readFile(manifest, 'utf8')));

  const faults = [
    ...(await attempt('one byte changed', (dump) => flipByte(dump), /is corrupt/)),
    ...(await attempt(
      'cut short',
      async (dump) => truncate(dump, (await readFile(dump)).length - 1),
      /bytes instead of/,
    )),
    ...(await attempt('something added', (dump) => appendFile(dump, 'x'), /bytes instead of/)),
    ...(await attempt(
      'manifest changed',
      (_, manifest) => edit(manifest, (text) => text.replace(/"rows": \d+/, '"rows": 7')),
      /was changed/,
    )),
    ...(await attempt('another key', (dump, manifest) => foreign(stack, dump, manifest), /another backup_key/)),
    ...(await attempt('no manifest', (_, manifest) => truncate(manifest, 0), /no manifest/)),
  ];
  const after = [await databases(stack), await restarts(stack)];
  return [...faults, ...unless(String(after) === String(before), `before: ${String(before)}; after: ${String(after)}`)];
}

async function flipByte(file: string): Promise<void> {
  const handle = await open(file, 'r+');
  const { size } = await handle.stat();
  const byte = Buffer.alloc(1);
  await handle.read(byte, 0, 1, Math.floor(size / 2));
  byte[0]! ^= 1;
  await handle.write(byte, 0, 1, Math.floor(size / 2));
  await handle.close();
}

/** Puts a dump of the same database there that was made with another key: whole, signed, and not ours. */
async function foreign(stack: Stack, dump: string, manifest: string): Promise<void> {
  const place = join(dump, '..');
  await chmod(place, 0o777);
  const key = join(place, 'key');
  await writeFile(key, 'the key of somebody else, who also has backups', { mode: 0o644 });
  const move = 'backup dump && cp /backups/dumps/*.age /out/foreign.age && cp /backups/dumps/*.json /out/foreign.json';
  const { status, stderr } = await stack.container(
    [
      ...['--volume', `${key}:/run/secrets/backup_key:ro`, '--volume', `${place}:/out`, '--entrypoint', 'bash'],
      ...['--tmpfs', '/backups:uid=999', '--tmpfs', '/textfile:uid=999'],
    ],
    ['-c', `umask 022; ${move}`],
  );
  if (status !== 0) throw new Error(`no foreign dump: ${stderr}`);
  await copyFile(join(place, 'foreign.age'), dump);
  await copyFile(join(place, 'foreign.json'), manifest);
}

export async function refusesToOverwrite(stack: Stack): Promise<string[]> {
  const before = await databases(stack);
  const plain = await stack.script('restore', 'latest');
  const into = await stack.script('restore', 'latest', '--into', 'eyrie');
  const unasked = await stack.script('restore', 'latest', '--overwrite');
  return [
    ...unless(
      plain.status === WRONG_USAGE && /refused/.test(plain.stderr),
      `without a flag: ${plain.status} ${plain.stderr}`,
    ),
    ...unless(
      into.status === REFUSED && /refused/.test(into.stderr),
      `--into the live one: ${into.status} ${into.stderr}`,
    ),
    ...unless(unasked.status === WRONG_USAGE, `without --yes and a terminal: ${unasked.status} ${unasked.stderr}`),
    ...unless((await databases(stack)) === before, `databases: ${await databases(stack)}`),
  ];
}

export async function overwrite(stack: Stack): Promise<string[]> {
  const name = await newest(stack);
  const { tables } = await manifestOf(stack, name);
  const dumps = Number(await stack.inBackup('ls /backups/dumps/*.json | wc -l'));
  const started = await restarts(stack);
  await stack.sql("INSERT INTO pair_a (text) VALUES ('after the dump')");
  const output = await stack.scriptOrThrow('restore', 'latest', '--overwrite', '--yes');
  const aside = /kept as (\w+)/.exec(output)?.[1] ?? '';
  const rows = Number(await stack.sql('SELECT count(*) FROM pair_a'));
  const kept = await stack.sql("SELECT count(*) FROM pair_a WHERE text = 'after the dump'", aside);
  const faults = [
    ...unless(rows === tables['public.pair_a']?.rows, `${rows} rows instead of ${tables['public.pair_a']?.rows}`),
    ...unless(kept === '1', `the old database ${aside} has lost the row that came after the dump`),
    ...unless(Number(await stack.inBackup('ls /backups/dumps/*.json | wc -l')) > dumps, 'there is no safety dump'),
    ...unless((await restarts(stack)) !== started, 'the worker was not stopped meanwhile'),
  ];
  const dropped = await stack.script('restore', '--drop', aside, '--yes');
  await stack.compose.up(['worker']);
  return [
    ...faults,
    ...unless(
      dropped.status === 0 && !(await databases(stack)).includes(aside),
      `${aside} is still there: ${dropped.stderr}`,
    ),
  ];
}
