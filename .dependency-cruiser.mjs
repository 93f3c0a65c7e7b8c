// Who may import whom. Bottom-up: a row leans only on what it lists, besides itself.
// ARCHITECTURE.md shows the same table for people; a folder without a row fails.
const table = {
  lib: [],
  ocpp: ['lib'],
  errors: ['lib', 'ocpp'],
  events: ['lib', 'ocpp', 'errors'],
  config: ['lib', 'ocpp', 'errors'],
  store: ['lib'],
  pki: ['lib'],
  chargers: ['lib', 'ocpp', 'store', 'pki'],
  rules: ['lib', 'ocpp', 'errors'],
  policy: ['lib', 'ocpp', 'errors', 'rules', 'pki'],
  handlers: ['lib', 'ocpp', 'rules'],
  queue: ['lib', 'ocpp', 'rules'],
  'ramp-limit': ['lib', 'ocpp', 'errors', 'events', 'store', 'chargers'],
  signing: ['lib', 'ocpp', 'errors', 'pki'],
  audit: ['lib', 'ocpp', 'events', 'store'],
  identity: ['lib', 'ocpp', 'errors', 'events', 'chargers', 'pki'],
  connection: ['lib', 'ocpp', 'errors', 'events', 'chargers', 'identity', 'pki'],
  gateway: [
    'lib',
    'ocpp',
    'errors',
    'events',
    'store',
    'pki',
    'chargers',
    'rules',
    'policy',
    'handlers',
    'queue',
    'ramp-limit',
    'signing',
    'audit',
    'identity',
    'connection',
  ],
  admin: ['lib', 'errors', 'events'],
  sim: ['lib', 'ocpp'],
};

const folders = Object.keys(table);
const anyOf = (names) => `^src/(?:${names.join('|')})/`;
const pure = ['lib', 'ocpp', 'errors', 'rules', 'policy', 'handlers', 'queue', 'signing'];
const socketOwners = ['connection', 'admin', 'sim', 'cmd'];
const unitTest = '\\.test\\.ts$';

export default {
  forbidden: [
    ...folders.map((folder) => ({
      name: `${folder}-leans-only-on-its-row`,
      comment: `src/${folder} may import ${table[folder].join(', ') || 'nothing'} besides itself.`,
      severity: 'error',
      from: { path: `^src/${folder}/`, pathNot: unitTest },
      to: {
        path: '^(?:src|test|scripts)/',
        pathNot: [
          anyOf([folder, ...table[folder]]),
          // The admin server sees the gateway through one file.
          ...(folder === 'admin' ? ['^src/gateway/control\\.ts$'] : []),
        ],
      },
    })),
    {
      name: 'every-folder-has-a-row',
      comment: 'A new folder below src/ needs a row in the table above.',
      severity: 'error',
      from: { path: '^src/', pathNot: anyOf([...folders, 'cmd']) },
      to: {},
    },
    {
      name: 'nothing-imports-cmd',
      comment: 'src/cmd chooses and starts; nothing leans on it.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/cmd/' },
      to: { path: '^src/cmd/' },
    },
    {
      name: 'pure-folders-do-no-io',
      comment: 'Rules and their like decide; they open no file and no socket.',
      severity: 'error',
      from: { path: anyOf(pure), pathNot: unitTest },
      to: {
        path: '^(?:node:)?(?:fs|fs/promises|net|tls|http|https|http2|dgram|dns|child_process|worker_threads|cluster)$',
      },
    },
    {
      name: 'few-folders-open-sockets',
      comment: `Only ${socketOwners.join(', ')} open sockets.`,
      severity: 'error',
      from: { path: '^src/', pathNot: [anyOf(socketOwners), unitTest] },
      to: {
        path: '^(?:node:)?(?:net|tls|http|https|http2|dgram)$|node_modules/ws/',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'one-folder-starts-programs',
      comment: 'Only connection/isolation starts other programs.',
      severity: 'error',
      from: { path: '^src/', pathNot: [unitTest, '^src/connection/isolation/'] },
      to: { path: '^(?:node:)?child_process$' },
    },
    {
      name: 'no-cycles',
      comment: 'Two files that need each other are one file, or three.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-file-that-nothing-reaches',
      comment: 'Delete it, or use it.',
      severity: 'error',
      from: { path: '^src/', pathNot: [unitTest, '^src/cmd/main\\.ts$'], orphan: true },
      to: {},
    },
    {
      name: 'no-development-dependency-at-run-time',
      comment: 'An installed package has no development dependencies.',
      severity: 'error',
      from: { path: '^src/', pathNot: unitTest },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'unknown', 'undetermined'] },
    },
    {
      name: 'everything-resolves',
      comment: 'An import that cannot be followed cannot be checked.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.mjs', '.js', '.cjs', '.d.ts'],
    },
  },
};
