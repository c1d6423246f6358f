// What is left out of every function's bundle, and how one that was made already is made again.

const { createHash } = require('node:crypto');
const { copyFileSync, existsSync, readFileSync, renameSync } = require('node:fs');
const { basename, extname, join } = require('node:path');

// zod carries its messages in fifty languages, and nothing shakes them off: half of a bundle's size.
const englishOnly = {
  name: 'zod-in-english',
  setup(build) {
    build.onLoad({ filter: /[/\\]zod[/\\]v4[/\\]locales[/\\]index\.c?js$/ }, () => ({
      contents: "export { default as en } from './en.js';",
      loader: 'js',
    }));
  },
};

// Contracts are written down as JSON Schemas when they are made, never in a function: yet every schema carries the way.
const noJsonSchemas = {
  name: 'zod-without-json-schemas',
  setup(build) {
    build.onLoad(
      { filter: /[/\\]zod[/\\]v4[/\\]core[/\\](?:json-schema-processors|to-json-schema)\.js$/ },
      ({ path }) => {
        const names = [...readFileSync(path, 'utf8').matchAll(/^export (?:const|function) (\w+)/gm)];
        return {
          contents: names.map(([, name]) => `export const ${name} = () => undefined;`).join('\n'),
          loader: 'js',
        };
      },
    );
  },
};

// Each client describes every operation of its service, in lists whose keys are computed: esbuild cannot know that
// nothing happens when they are, and keeps what nobody asks for. Here it is told.
const pureDescriptions = {
  name: 'pure-descriptions',
  setup(build) {
    const filter = /[/\\]@aws-sdk[/\\]client-[^/\\]+[/\\]dist-es[/\\]schemas[/\\]schemas_\d+\.js$/;
    const list = /^((?:export )?(?:var|const) \S+ = )(\[[^\n]*[^;\n]\n[\s\S]*?\n\]);$/gm;
    build.onLoad({ filter }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replace(list, '$1/* @__PURE__ */ (() => $2)();'),
      loader: 'js',
    }));
  },
};

// A function finds its credentials in its environment. The other ways (profiles, single sign-on, instance
// metadata) are loaded only when that one fails, and have no place in a function.
const environmentCredentials = {
  name: 'environment-credentials',
  setup(build) {
    const filter =
      /[/\\](?:@aws-sdk[/\\](?:nested-clients|credential-provider-(?:ini|sso|login|process|web-identity|http))|@smithy[/\\]credential-provider-imds)[/\\]/;
    build.onLoad({ filter }, () => ({
      contents:
        "throw new Error('A function takes its credentials from its environment, and there are none.');",
      loader: 'js',
    }));
  },
};

// Answers that go on for as long as one listens are an ability of clients of which no call here makes use.
const noEventStreams = {
  name: 'no-event-streams',
  setup(build) {
    const filter = /[/\\]@smithy[/\\]core[/\\]dist-es[/\\]submodules[/\\]event-streams[/\\]index\.js$/;
    build.onLoad({ filter }, () => ({
      contents: `
        export const eventStreamSerdeProvider = () => {
          throw new Error('Functions have no calls with streams of events.');
        };
        export const resolveEventStreamSerdeConfig = (config) => config;
        export const EventStreamSerde = eventStreamSerdeProvider;
      `,
      loader: 'js',
    }));
  },
};

// Of PostgreSQL's client only connections are used, each with an address and a password of its own: no pools, no
// connection strings, never a file of passwords, and nothing that would have to be compiled.
const plainConnections = {
  name: 'plain-connections',
  setup(build) {
    const filter = /[/\\]node_modules[/\\](?:pg-pool|pg-connection-string|pgpass|pg[/\\]lib[/\\]native)[/\\]/;
    build.onLoad({ filter }, () => ({ contents: 'module.exports = class {};', loader: 'js' }));
  },
};

// A module that imports node:http makes Node look at everything that it exports, WebSocket among it, and load what is
// behind that: a tenth of a cold start. A module that is got as CommonJS gets it loads none of it.
const httpAlone = {
  name: 'http-alone',
  setup(build) {
    build.onResolve({ filter: /^(?:node:)?http$/ }, () => ({ path: 'http', namespace: 'http-alone' }));
    build.onLoad({ filter: /./, namespace: 'http-alone' }, () => ({
      contents: "module.exports = process.getBuiltinModule('node:http');",
      loader: 'js',
    }));
  },
};

// Stages and parameters are in the template and in no bundle: whoever packages the same sources several times may name
// a folder for the bundles that they make, which is to be another one for other sources. A deployment names none, and
// makes its own.
const keptBundles = {
  name: 'kept-bundles',
  setup(build) {
    const folder = process.env.DRAYAGE_BUNDLES;
    if (folder === undefined) return;
    const { plugins: _, outdir, ...options } = build.initialOptions;
    const [entry] = options.entryPoints;
    const made = `${basename(entry, extname(entry))}${options.outExtension['.js']}`;
    const key = createHash('sha256')
      .update(JSON.stringify([build.esbuild.version, options]))
      .digest('hex');
    const kept = join(folder, `${key}${extname(made)}`);
    if (existsSync(kept)) {
      Object.assign(build.initialOptions, {
        entryPoints: [{ in: kept, out: basename(made, extname(made)) }],
        loader: { [extname(made)]: 'copy' },
        banner: {},
      });
      return;
    }
    build.onEnd(({ errors, warnings }) => {
      // What somebody should hear of is said every time.
      if (errors.length > 0 || warnings.length > 0) return;
      const draft = `${kept}.${String(process.pid)}`;
      copyFileSync(join(outdir, made), draft);
      renameSync(draft, kept);
    });
  },
};

module.exports = [
  englishOnly,
  noJsonSchemas,
  pureDescriptions,
  environmentCredentials,
  noEventStreams,
  plainConnections,
  httpAlone,
  keptBundles,
];
