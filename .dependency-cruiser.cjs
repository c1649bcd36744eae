/**
 * The layers: imports go strictly downward, never sideways, and between libraries only by name, so through their index.
 * test/layers plants a violation of each rule below.
 */
const layers = [
  ['config', 'system'],
  ['logging', 'metrics', 'tracing', 'secrets'],
  ['lifecycle', 'health'],
  ['server', 'database', 'cache', 'jobs'],
  ['auth', 'realtime', 'alerts', 'app'],
  // and above them all the apps, which never import each other
];

/** Vendor packages with one owner: nobody else imports them. */
const owners = {
  'dotenv|@nestjs/config': ['config'],
  'nestjs-pino|pino|pino-http|pino-pretty': ['logging'],
  'graphile-worker': ['jobs'],
  '@nestjs/terminus': ['health'],
  '@node-rs/argon2': ['auth'],
  '@opentelemetry/(?!api/)[^/]+|import-in-the-middle': ['tracing'],
  'prom-client|@willsoto/nestjs-prometheus': ['metrics'],
  ioredis: ['cache'],
  nodemailer: ['alerts'],
  pg: ['database', 'jobs'],
  re2js: ['alerts'],
  ws: ['realtime'],
};

const any = (names) => `(${names.join('|') || 'none'})`;
const tests = '\\.spec\\.ts$';
const known = layers.flat();

const downward = layers.flatMap((names, level) =>
  names.map((name) => {
    const forbidden = layers
      .slice(level)
      .flat()
      .filter((other) => other !== name);
    return {
      name: `layers:${name}`,
      comment: `libs/${name} may import only from the layers below it`,
      from: { path: `^libs/${name}/` },
      to: { path: `^(libs/${any(forbidden)}/|apps/)` },
    };
  }),
);

const ownership = Object.entries(owners).map(([vendor, libraries]) => ({
  name: `owner:${vendor}`,
  comment: `only libs/${libraries.join(', libs/')} may import ${vendor}`,
  from: { path: '^(apps|libs)/', pathNot: [`^libs/${any(libraries)}/`, tests] },
  to: { path: `(^|/)node_modules/(${vendor})/` },
}));

const rules = [
  { name: 'no-cycles', from: {}, to: { circular: true } },
  { name: 'unresolvable', from: {}, to: { couldNotResolve: true } },
  {
    name: 'layers:unlisted',
    comment: 'a library has a place in the list of layers above',
    from: { path: `^libs/(?!${any(known)}/)` },
    to: {},
  },
  {
    name: 'index-only',
    comment: "a library is imported by its name, 'eyrie/<library>', which is its index; paths stay within a library",
    from: { path: '^(libs/[^/]+|apps)/' },
    to: { path: '^libs/', pathNot: '^$1/', dependencyTypes: ['local'] },
  },
  {
    name: 'apps-alone',
    comment: 'apps never import each other; what documents the settings of them all reads these',
    from: { path: '^apps/([^/]+)/' },
    to: { path: '^apps/', pathNot: ['^apps/$1/', '^apps/[^/]+/src/settings\\.ts$'] },
  },
  {
    name: 'no-test-code',
    comment: 'what ships imports neither specs nor the test harness',
    from: { path: '^(apps|libs)/', pathNot: tests },
    to: { path: `^test/|${tests}` },
  },
  ...downward,
  ...ownership,
];

module.exports = {
  forbidden: rules.map((rule) => ({ severity: 'error', ...rule })),
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['source', 'import', 'node', 'default', 'types'],
    },
  },
};
