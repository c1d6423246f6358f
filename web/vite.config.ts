/**
 * The console, built into `web/dist`: files that any server can hand out, at any path. `vite build web` makes this
 * folder its root.
 */
export default {
  base: './',
  // No .env of the project ever gets into it.
  envDir: false,
  build: {
    target: 'es2022',
    // The page itself forbids what is made from text, modules in data: links too.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
};
