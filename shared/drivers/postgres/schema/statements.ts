import { createHash } from 'node:crypto';
import { splitStatements } from './lexer.ts';
import type { RawStatement, Token } from './lexer.ts';

/**
 * The order in which a schema is applied on the target of a move.
 * - `definitions`: extensions, types, functions, tables, sequences, views: all that rows need to arrive
 * - `keys`: primary keys, unique constraints, indexes that are replica identities: what applying changes needs
 * - `indexes`: the other indexes and exclusion constraints: cheaper once the rows are there
 * - `references`: foreign keys, which need the rows, keys and unique indexes of two tables
 * - `constraints`: late checks, views that need a key, policies, statistics objects
 * - `triggers`: triggers and rules (which applied changes do not fire)
 * - `privileges`: GRANT, REVOKE, default privileges
 * - `last`: what would act on applied changes or on our own statements: ENABLE ALWAYS or REPLICA triggers,
 *   FORCE ROW LEVEL SECURITY, event triggers, publications
 */
export const sections = [
  'definitions',
  'keys',
  'indexes',
  'references',
  'constraints',
  'triggers',
  'privileges',
  'last',
] as const;
export type Section = (typeof sections)[number];

export interface QualifiedName {
  readonly schema: string;
  readonly name: string;
}

export interface Statement {
  /** Stable for the same dump: a digest of section, place and text. */
  readonly id: string;
  readonly section: Section;
  /** Place in the whole dump, from 0. */
  readonly position: number;
  /** The table whose key, index, constraint or trigger it makes. */
  readonly table: QualifiedName | undefined;
  /** Complete: the settings that pg_dump put in front (tablespace, access method) are part of it. */
  readonly sql: string;
}

export interface ClassifyOptions {
  /** Publications that are ours: left out. */
  readonly ignorePublications?: readonly string[];
  /** Tables whose replica identity the move itself has set to FULL: that setting is left out. */
  readonly ignoreReplicaIdentity?: readonly QualifiedName[];
}

interface Placed {
  readonly section: Section;
  readonly table?: QualifiedName | undefined;
}

const key = ({ schema, name }: QualifiedName): string => JSON.stringify([schema, name]);

/** Sorts the statements of a dump into sections; within a section they keep the order of the dump. */
export function classify(dump: string, options: ClassifyOptions = {}): Statement[] {
  const raw = splitStatements(dump);
  const classifier = new Classifier(raw, options);
  const settings = new Map<string, string>();
  const statements: Statement[] = [];
  for (const [position, statement] of raw.entries()) {
    const [first, second] = statement.head;
    if (first?.text === 'set' && second !== undefined) {
      // The rest is pinned by whoever applies the statements.
      if (/^default_(tablespace|table_access_method)$/.test(second.text))
        settings.set(second.text, statement.sql);
      continue;
    }
    if (first?.text === 'select' && statement.sql.includes("set_config('search_path'")) continue;
    const placed = classifier.place(statement.head);
    if (placed === undefined) continue;
    const prefix = storesRows(statement.head)
      ? [...settings.values()].map((sql) => `${sql};\n`).join('')
      : '';
    const sql = prefix + statement.sql;
    const digest = createHash('sha256')
      .update(`${placed.section}\0${String(position)}\0${sql}`)
      .digest('hex');
    statements.push({ id: digest.slice(0, 32), section: placed.section, position, table: placed.table, sql });
  }
  return statements;
}

/** Only these look at `default_tablespace` and `default_table_access_method`. */
function storesRows(head: readonly Token[]): boolean {
  const words = head.filter(({ kind }) => kind === 'word').map(({ text }) => text);
  if (words[0] === 'create')
    return words.slice(1, 4).some((word) => /^(table|index|materialized)$/.test(word));
  return words[0] === 'alter' && words[1] === 'table' && words.includes('constraint');
}

class Classifier {
  readonly #options: ClassifyOptions;
  /** Indexes, also those of constraints, with their table and section. */
  readonly #indexes = new Map<string, Placed>();
  readonly #identityIndexes = new Set<string>();
  #keysBegan = false;
  /** A view or function that waits for a key was defined: what follows may need it. */
  #lateDefinitions = false;

  constructor(raw: readonly RawStatement[], options: ClassifyOptions) {
    this.#options = options;
    for (const { head } of raw) {
      const words = new Words(head);
      if (!words.take('alter', 'table')) continue;
      words.take('only');
      const table = words.name();
      if (table !== undefined && words.take('replica', 'identity', 'using', 'index')) {
        const index = words.plainName();
        if (index !== undefined) this.#identityIndexes.add(key({ schema: table.schema, name: index }));
      }
    }
  }

  /** Undefined: leave it out. */
  place(head: readonly Token[]): Placed | undefined {
    const words = new Words(head);
    if (words.take('alter', 'table')) return this.#alterTable(words);
    if (words.take('create')) return this.#create(words);
    if (words.take('alter', 'index')) return this.#alterIndex(words);
    if (words.take('comment', 'on')) return this.#comment(words);
    if (words.take('alter', 'event', 'trigger')) return { section: 'last' };
    if (words.take('alter', 'publication')) return this.#publication(words);
    if (words.take('alter', 'subscription')) return undefined;
    if (words.take('refresh')) return undefined;
    if (words.take('grant') || words.take('revoke') || words.take('alter', 'default', 'privileges')) {
      return { section: 'privileges' };
    }
    return this.#other();
  }

  #other(): Placed {
    return { section: this.#keysBegan ? 'constraints' : 'definitions' };
  }

  #create(words: Words): Placed | undefined {
    words.take('unique');
    if (words.take('index')) return this.#createIndex(words);
    if (words.take('constraint', 'trigger') || words.take('trigger')) {
      words.plainName();
      words.skipTo('on');
      return { section: 'triggers', table: words.name() };
    }
    if (words.take('rule')) {
      words.plainName();
      words.skipTo('to');
      return { section: 'triggers', table: words.name() };
    }
    if (words.take('event', 'trigger')) return { section: 'last' };
    if (words.take('publication')) return this.#publication(words);
    if (words.take('subscription')) return undefined;
    if (words.take('policy') || words.take('statistics')) {
      this.#keysBegan = true;
      return { section: 'constraints' };
    }
    if (this.#keysBegan) this.#lateDefinitions = true;
    return this.#other();
  }

  #createIndex(words: Words): Placed {
    this.#keysBegan = true;
    const index = words.plainName();
    words.take('on');
    words.take('only');
    const table = words.name();
    if (table === undefined || index === undefined) return { section: 'constraints' };
    const id = key({ schema: table.schema, name: index });
    const usual: Section = this.#lateDefinitions ? 'constraints' : 'indexes';
    const placed: Placed = { section: this.#identityIndexes.has(id) ? 'keys' : usual, table };
    this.#indexes.set(id, placed);
    return placed;
  }

  #alterTable(words: Words): Placed | undefined {
    words.take('only');
    const table = words.name();
    if (table === undefined) return this.#other();
    if (words.take('add', 'constraint')) return this.#addConstraint(words, table);
    if (words.take('force', 'row')) return { section: 'last', table };
    if (words.take('enable', 'row') || words.take('disable', 'row')) return { section: 'constraints', table };
    if (words.take('replica', 'identity')) return this.#replicaIdentity(words, table);
    if (words.take('cluster', 'on'))
      return this.#ofIndex({ schema: table.schema, name: words.plainName() ?? '' });
    if (words.take('enable', 'always', 'trigger') || words.take('enable', 'replica', 'trigger')) {
      return { section: 'last', table };
    }
    if (words.take('enable') || words.take('disable')) return { section: 'triggers', table };
    return this.#other();
  }

  #addConstraint(words: Words, table: QualifiedName): Placed {
    const name = words.plainName() ?? '';
    const isKey = words.take('primary', 'key') || words.take('unique');
    const isExclusion = !isKey && words.take('exclude');
    const isReference = !isKey && !isExclusion && words.take('foreign');
    if (!this.#keysBegan && !isKey && !isExclusion && !isReference) {
      return { section: 'definitions', table };
    }
    this.#keysBegan = true;
    if (isReference) return { section: 'references', table };
    if (!isKey && !isExclusion) return { section: 'constraints', table };
    const placed: Placed = { section: isKey ? 'keys' : 'indexes', table };
    this.#indexes.set(key({ schema: table.schema, name }), placed);
    return placed;
  }

  #replicaIdentity(words: Words, table: QualifiedName): Placed | undefined {
    if (words.take('using', 'index')) return { section: 'keys', table };
    const ours = this.#options.ignoreReplicaIdentity?.some((other) => key(other) === key(table)) ?? false;
    return ours ? undefined : { section: 'definitions', table };
  }

  #alterIndex(words: Words): Placed {
    const index = words.name();
    if (index === undefined) return this.#other();
    if (!words.take('attach', 'partition')) return this.#ofIndex(index);
    const parent = this.#ofIndex(index);
    const child = this.#ofIndex(words.name() ?? index);
    // The pair belongs together once both are there, and the child's table decides when that is.
    const later = sections.indexOf(parent.section) > sections.indexOf(child.section) ? parent : child;
    return { section: later.section, table: child.table };
  }

  #ofIndex(index: QualifiedName): Placed {
    return this.#indexes.get(key(index)) ?? this.#other();
  }

  #comment(words: Words): Placed | undefined {
    if (words.take('constraint')) {
      const constraint = words.plainName();
      words.take('on');
      if (words.take('domain')) return this.#other();
      const table = words.name();
      if (table === undefined || constraint === undefined) return this.#other();
      const known = this.#indexes.get(key({ schema: table.schema, name: constraint }));
      return known ?? { ...this.#other(), table };
    }
    if (words.take('index')) return this.#ofIndex(words.name() ?? { schema: '', name: '' });
    if (words.take('trigger') || words.take('rule')) return { section: 'triggers' };
    if (words.take('event', 'trigger')) return { section: 'last' };
    if (words.take('publication')) return this.#publication(words);
    if (words.take('subscription')) return undefined;
    return this.#other();
  }

  #publication(words: Words): Placed | undefined {
    const name = words.plainName();
    const ours = name !== undefined && (this.#options.ignorePublications?.includes(name) ?? false);
    return ours ? undefined : { section: 'last' };
  }
}

/** Reads the head of a statement from left to right. */
class Words {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  /** Steps over these words if they come next. */
  take(...words: readonly string[]): boolean {
    const matches = words.every((word, index) => {
      const token = this.#tokens[this.#at + index];
      return token?.kind === 'word' && token.text === word;
    });
    if (matches) this.#at += words.length;
    return matches;
  }

  plainName(): string | undefined {
    const token = this.#tokens[this.#at];
    if (token?.kind !== 'word' && token?.kind !== 'name') return undefined;
    this.#at += 1;
    return token.text;
  }

  /** `schema.name`; pg_dump qualifies every name. */
  name(): QualifiedName | undefined {
    const before = this.#at;
    const schema = this.plainName();
    const dot = this.#tokens[this.#at];
    if (schema !== undefined && dot?.kind === 'symbol' && dot.text === '.') {
      this.#at += 1;
      const name = this.plainName();
      if (name !== undefined) return { schema, name };
    }
    this.#at = before;
    return undefined;
  }

  skipTo(word: string): void {
    while (this.#at < this.#tokens.length && !this.take(word)) this.#at += 1;
  }
}
