// The directions of imports: functions → workflow → ports → domain, functions → contracts → domain.
const only = (name, folder, allowed) => ({
  name,
  severity: 'error',
  from: { path: `^shared/${folder}/` },
  to: { path: '^(shared|functions|local|cli|web|bench|tests)/', pathNot: `^shared/(${allowed})/` },
});
const edges = '^(local|cli|tests|bench|resources)/';

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      comment: 'Types may refer to each other; what runs may not',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-orphans',
      severity: 'error',
      from: { orphan: true, pathNot: '\\.(cjs|js|d\\.ts)$|-main\\.ts$|/vite\\.config\\.ts$' },
      to: {},
    },
    {
      name: 'resolvable',
      severity: 'error',
      comment: 'An import that leads nowhere',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'domain-is-pure',
      severity: 'error',
      comment: 'The domain imports nothing but itself',
      from: { path: '^shared/domain/' },
      to: { pathNot: '^shared/domain/' },
    },
    only('ports-know-the-domain-only', 'ports', 'ports|domain'),
    only('contracts-know-domain-and-ports-only', 'contracts', 'contracts|ports|domain'),
    only('workflow-knows-no-adapter', 'workflow', 'workflow|ports|domain'),
    only('drivers-know-no-workflow', 'drivers', 'drivers|ports|domain'),
    only('aws-knows-no-workflow', 'aws', 'aws|contracts|ports|domain'),
    {
      name: 'drivers-do-not-know-each-other',
      severity: 'error',
      from: { path: '^shared/drivers/([^/]+)/' },
      to: { path: '^shared/drivers/', pathNot: '^shared/drivers/$1/' },
    },
    {
      name: 'functions-make-no-adapters',
      severity: 'error',
      from: { path: '^functions/' },
      to: { path: '^shared/(aws|drivers|domain)/|^node_modules/' },
    },
    {
      name: 'shared-is-below-everything',
      severity: 'error',
      from: { path: '^(shared|functions)/' },
      to: { path: '^(local|cli|web|bench|tests|resources)/' },
    },
    {
      name: 'sdk-in-its-place',
      severity: 'error',
      from: { pathNot: `^shared/(aws|runtime|publisher)/|^node_modules/|${edges}` },
      to: { path: 'node_modules/@aws-sdk/' },
    },
    {
      name: 'database-clients-in-drivers',
      severity: 'error',
      from: { pathNot: '^shared/drivers/|^local/demo/|^tests/|^bench/|^node_modules/' },
      to: { path: 'node_modules/(pg|@electric-sql)/' },
    },
    {
      name: 'lambda-tools-in-runtime',
      severity: 'error',
      from: { pathNot: '^shared/runtime/|^tests/|^node_modules/' },
      to: { path: 'node_modules/(@middy|@aws-lambda-powertools)/' },
    },
    {
      name: 'nothing-undeclared',
      severity: 'error',
      from: { pathNot: '^node_modules/' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'what-ships-needs-no-tools',
      severity: 'error',
      from: { path: '^(shared|functions)/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
