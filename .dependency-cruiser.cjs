/**
 * The layers: imports go strictly downward, never sideways, and between libraries only through their index.
 *   0 config · 1 logging metrics tracing · 2 lifecycle health · 3 server database cache jobs
 *   4 auth realtime alerts · 5 apps, which never import each other
 */
const layers = [
  ['config'],
  ['logging', 'metrics', 'tracing'],
  ['lifecycle', 'health'],
  ['server', 'database', 'cache', 'jobs'],
  ['auth', 'realtime', 'alerts'],
];

/** Vendor packages with one owner: nobody else imports them. */
const owners = {
  'graphile-worker': ['jobs'],
  'nestjs-pino|pino|pino-http|pino-pretty': ['logging'],
  'dotenv|@nestjs/config': ['config'],
  ioredis: ['cache'],
  nodemailer: ['alerts'],
  pg: ['database', 'jobs'],
  're2js': ['alerts'],
};

const upward = layers.flatMap((names, level) =>
  names.map((name) => ({
    name: `layers:${name}`,
    comment: `libs/${name} may import only from the layers below it`,
    severity: 'error',
    from: { path: `^libs/${name}/` },
    to: { path: `^(libs/(${layers.slice(level).flat().filter((other) => other !== name).join('|') || 'none'})/|apps/)` },
  })),
);

const vendors = Object.entries(owners).map(([vendor, libs]) => ({
  name: `owner:${vendor}`,
  comment: `only libs/${libs.join(', libs/')} may import ${vendor}`,
  severity: 'error',
  from: { path: '^(apps|libs)/', pathNot: [`^libs/(${libs.join('|')})/`, '\\.spec\\.ts$'] },
  to: { path: `^node_modules/(${vendor})/` },
}));

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'index-only',
      comment: 'a library is imported through its index',
      severity: 'error',
      from: { path: '^libs/([^/]+)/' },
      to: { path: '^libs/([^/]+)/src/(?!index\\.ts$)', pathNot: '^libs/$1/' },
    },
    {
      name: 'index-only-outside',
      comment: 'a library is imported through its index',
      severity: 'error',
      from: { path: '^apps/' },
      to: { path: '^libs/[^/]+/src/(?!index\\.ts$)' },
    },
    {
      name: 'apps-alone',
      comment: 'apps never import each other',
      severity: 'error',
      from: { path: '^apps/([^/]+)/' },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    ...upward,
    ...vendors,
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^test/layers/fixture' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['source', 'import', 'node', 'default', 'types'] },
  },
};
