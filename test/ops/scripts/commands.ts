/** The command line of the model: `docker` and `docker compose` as far as the scripts use them; the rest is refused. */
import type { Container, Reply, World } from './world.ts';

export interface Call {
  argv: readonly string[];
  env: Readonly<Record<string, string>>;
  input: string;
}

/** Whether a call changes something. */
export function changes({ argv }: Call): boolean {
  const line = argv.join(' ');
  return (
    /^(pull|tag|stop|rm|image rm) /.test(line) || / (up|run) --/.test(line) || / exec -T nginx traffic blue=/.test(line)
  );
}

export function answer(world: World, call: Call): Reply {
  const [verb = '', ...rest] = call.argv;
  try {
    switch (verb) {
      case 'compose':
        return compose(world, call, rest);
      case 'info':
        return said(rest.length > 0 ? world.dockerRoot : 'fine');
      case 'ps':
        return said(list(world, rest));
      case 'inspect':
        return inspect(world, rest);
      case 'exec':
        return inside(world, rest, call.input);
      case 'stop':
      case 'rm':
        return end(world, verb, rest);
      case 'logs':
        return said('the last line of its log\n');
      case 'pull':
        return pull(world, rest.at(-1)!);
      case 'tag': {
        const image = world.image(rest[0]!);
        if (image) world.images.set(rest[1]!, image);
        return image ? said('') : failed(1, `No such image: ${rest[0]}`);
      }
      case 'image':
        return imageCommand(world, rest);
    }
    throw new Error(`the model knows no docker ${call.argv.join(' ')}`);
  } catch (error) {
    return failed(125, String(error));
  }
}

const said = (stdout: string): Reply => ({ status: 0, stdout, stderr: '' });
const failed = (status: number, stderr: string): Reply => ({ status, stdout: '', stderr: `${stderr}\n` });

function compose(world: World, call: Call, args: readonly string[]): Reply {
  if (args[0] === 'version') return said('2.40');
  const rest = [...args];
  let envFile = '';
  while (rest[0]?.startsWith('--')) {
    const flag = rest.shift()!;
    const value = rest.shift()!;
    if (flag === '--env-file') envFile = value;
    else if (!['--file', '--project-directory', '--progress'].includes(flag)) throw new Error(`unknown flag ${flag}`);
  }
  const verb = rest.shift();
  const imageOf = (service: string) => world.imageOf(service, envFile, call.env);
  if (verb === 'config') return said('');
  if (verb === 'up') return up(world, rest, imageOf);
  if (verb === 'run') return runOnce(world, rest, imageOf);
  if (verb === 'exec') return execService(world, rest);
  throw new Error(`unknown: compose ${verb}`);
}

/** Always with --no-deps --no-recreate: what is there stays, what is missing is started. */
function up(world: World, args: readonly string[], imageOf: (service: string) => string): Reply {
  const flags = new Set(args);
  for (const needed of ['--detach', '--no-deps', '--no-recreate']) {
    if (!flags.has(needed)) throw new Error(`up without ${needed} would touch what it must not`);
  }
  const scale = args.indexOf('--scale');
  if (scale < 0) {
    const services = args.slice(args.indexOf('--wait-timeout') + 2);
    services.forEach((service) => world.services.add(service));
    return said('');
  }
  const [service = '', count = ''] = args[scale + 1]!.split('=');
  if (world.of(service).length > Number(count)) throw new Error(`up would remove replicas of ${service} by itself`);
  while (world.of(service).length < Number(count)) world.start(service, imageOf(service));
  return said('');
}

function runOnce(world: World, args: readonly string[], imageOf: (service: string) => string): Reply {
  if (!args.includes('--no-deps')) throw new Error('run without --no-deps starts what it must not');
  const name = args[args.indexOf('--name') + 1];
  if (args.includes('--detach')) {
    if (world.containers.has(name!)) return failed(125, `the name ${name} is in use`);
    world.start(args.at(-1)!, imageOf(args.at(-1)!), name);
    return said(`${name}\n`);
  }
  const migrates = args.at(-1) === 'migrate';
  const ref = imageOf(migrates ? 'migrate' : args.at(-2)!);
  const behaviour = world.image(ref)?.behaviour;
  if (behaviour === undefined) return failed(1, `no such image ${ref}`);
  if (migrates) return behaviour === 'bad-migration' ? failed(1, 'relation "alerts" has no column x') : said('');
  return behaviour === 'refuses' ? failed(78, 'NEW_SETTING is missing') : said('');
}

function execService(world: World, [flag, service, ...program]: readonly string[]): Reply {
  if (flag !== '-T') throw new Error('exec without -T wants a terminal');
  if (!world.services.has(service!)) return failed(1, `service "${service}" is not running`);
  if (service === 'backup') return world.backupFails ? failed(1, 'no space left on device') : said('');
  if (program[0] !== 'traffic') throw new Error(`unknown program ${program.join(' ')}`);
  const shares = new Map(program.slice(1).map((share) => share.split('=') as [string, string]));
  if (program.length > 1) {
    world.traffic = { blue: Number(shares.get('blue')), green: Number(shares.get('green')) };
    world.look();
  }
  return said(`blue=${world.traffic.blue} green=${world.traffic.green}\n`);
}

function list(world: World, args: readonly string[]): string {
  const service = args.find((arg) => arg.includes('compose.service='))?.split('=')[2];
  return world
    .of(service!)
    .map(({ name }) => `${name}\n`)
    .join('');
}

function inspect(world: World, args: readonly string[]): Reply {
  const names = args.slice(args.indexOf('--format') + 2);
  const found = names.map((name) => world.containers.get(name));
  for (const container of found) if (container) world.age(container, names.length === 1);
  const lines = found.filter((container) => container !== undefined).map((container) => line(world, container));
  const missing = names.filter((name) => !world.containers.has(name));
  const stderr = missing.map((name) => `No such container: ${name}\n`).join('');
  return { status: missing.length > 0 ? 1 : 0, stdout: lines.join(''), stderr };
}

function line(world: World, container: Container): string {
  const { name, image, state, restarts, createdAt } = container;
  return `/${name} ${image} ${state} ${world.health(container)} ${restarts} ${new Date(createdAt).toISOString()}\n`;
}

/** lib/sample.mjs and lib/smoke.mjs have a spec of their own; here is what they would print. */
function inside(world: World, args: readonly string[], input: string): Reply {
  const container = world.containers.get(args[1]!);
  if (container?.state !== 'running') return failed(1, `container ${args[1]} is not running`);
  if (args.slice(2, 5).join(' ') !== 'node --input-type=module -') throw new Error('unknown program');
  if (input.includes('http_requests_total')) return said(world.counters(container));
  const { behaviour, version } = world.image(container.image)!;
  if (behaviour === 'wrong') return failed(1, 'GET /api/v1/alerts?limit=1 answered 500');
  return said(`${version}\n`);
}

function end(world: World, verb: 'stop' | 'rm', args: readonly string[]): Reply {
  const names = args.filter((arg) => !arg.startsWith('--'));
  for (const name of names) {
    const container = world.containers.get(name);
    if (!container) return failed(1, `No such container: ${name}`);
    if (verb === 'stop') container.state = 'exited';
    else world.containers.delete(name);
    world.look();
  }
  return said('');
}

function pull(world: World, ref: string): Reply {
  const image = world.registry.get(ref);
  if (!image) return failed(1, `manifest for ${ref} not found`);
  world.images.set(ref, image);
  return said(ref);
}

function imageCommand(world: World, [verb, ...args]: readonly string[]): Reply {
  if (verb === 'inspect') {
    const [, format = '', ref = ''] = args;
    const image = world.image(ref);
    if (!image) return failed(1, `No such image: ${ref}`);
    return said(`${format.includes('version') ? image.version : image.id}\n`);
  }
  if (verb !== 'rm') throw new Error(`unknown: image ${verb}`);
  for (const ref of args) {
    const image = world.images.get(ref);
    if (!image) return failed(1, `No such image: ${ref}`);
    const last = [...world.images.values()].filter(({ id }) => id === image.id).length === 1;
    if (last && [...world.containers.values()].some((container) => container.image === image.id)) {
      return failed(1, `${ref} is in use`);
    }
    world.images.delete(ref);
  }
  return said('');
}
