// What is left out of every function's bundle.

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

module.exports = [englishOnly, environmentCredentials];
