import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import type { Removal } from './removal.ts';
import { withoutEnforcement } from './removal.ts';
import { root } from './source-copy.ts';

/** What only says that something is not needed any more: that is so when an enforcement is missing. */
const unused = new Set([6133, 6138, 6192, 6196, 6198, 7027]);

/**
 * What the compiler has against the sources without each enforcement. A program that does not even compile
 * would fail every test, and prove nothing.
 * @returns complaints by the removal's name; none where all is well
 */
export function complaintsOf(removals: readonly Removal[]): ReadonlyMap<string, string> {
  const files = [...new Set(removals.map(({ file }) => join(root, file)))];
  const patched = new Map<string, { readonly version: number; readonly text: string }>();
  const { options: all } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(join(root, 'tsconfig.json'), (path) => ts.sys.readFile(path)).config,
    ts.sys,
    root,
  );
  const { tsBuildInfoFile: _, incremental: __, ...options } = all;
  const service = ts.createLanguageService({
    getCompilationSettings: () => options,
    getScriptFileNames: () => files,
    getScriptVersion: (path) => String(patched.get(path)?.version ?? 0),
    getScriptSnapshot: (path) => {
      const text = patched.get(path)?.text ?? ts.sys.readFile(path);
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
    },
    getCurrentDirectory: () => root,
    getDefaultLibFileName: (of) => ts.getDefaultLibFilePath(of),
    fileExists: (path) => ts.sys.fileExists(path),
    readFile: (path) => ts.sys.readFile(path),
    readDirectory: (...asked) => ts.sys.readDirectory(...asked),
    directoryExists: (path) => ts.sys.directoryExists(path),
    getDirectories: (path) => ts.sys.getDirectories(path),
    realpath: (path) => ts.sys.realpath?.(path) ?? path,
  });
  const complaints = new Map<string, string>();
  for (const [index, removal] of removals.entries()) {
    const path = join(root, removal.file);
    const text = readFileSync(path, 'utf8');
    patched.set(path, { version: 2 * index + 1, text: withoutEnforcement(removal, text) });
    const found = [...service.getSyntacticDiagnostics(path), ...service.getSemanticDiagnostics(path)]
      .filter(({ code }) => !unused.has(code))
      .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '));
    if (found[0] !== undefined) complaints.set(removal.name, found[0]);
    patched.set(path, { version: 2 * index + 2, text });
  }
  service.dispose();
  return complaints;
}
