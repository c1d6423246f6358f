import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { splitStatements } from '../../shared/drivers/postgres/schema/lexer.ts';
import { classify } from '../../shared/drivers/postgres/schema/statements.ts';
import { quoteIdentifier, quoteLiteral } from '../../shared/drivers/postgres/identifiers.ts';

const cut = (dump: string): string[] => splitStatements(dump).map(({ sql }) => sql);
const sectionsOf = (dump: string): string[] => classify(dump).map(({ section }) => section);

describe('cutting a dump', () => {
  test.each([
    ['strings', `SELECT 'a;b''c;'; SELECT 1;`, [`SELECT 'a;b''c;'`, 'SELECT 1']],
    ['escape strings', `SELECT E'a\\';b'; SELECT 1;`, [`SELECT E'a\\';b'`, 'SELECT 1']],
    ['backslashes in ordinary strings', `SELECT 'a\\'; SELECT 1;`, [`SELECT 'a\\'`, 'SELECT 1']],
    ['quoted names', `SELECT 1 AS "a;""b;"; SELECT 2;`, [`SELECT 1 AS "a;""b;"`, 'SELECT 2']],
    ['dollar quotes', `DO $$ a; $x$ b; $$; SELECT 1;`, ['DO $$ a; $x$ b; $$', 'SELECT 1']],
    ['tagged dollar quotes', `DO $ü_1$ a; $$ b; $ü_1$; SELECT 1;`, ['DO $ü_1$ a; $$ b; $ü_1$', 'SELECT 1']],
    [
      'parameters that look like dollar quotes',
      `PREPARE x AS SELECT $1; SELECT $1;`,
      ['PREPARE x AS SELECT $1', 'SELECT $1'],
    ],
    ['names that hold dollars', `SELECT a$b$c; SELECT d$b$;`, ['SELECT a$b$c', 'SELECT d$b$']],
    [
      'comments',
      `SELECT 1 -- a; 'b\n; -- c;\n/* d; /* e; */ ' */ SELECT 2;`,
      [`SELECT 1 -- a; 'b`, 'SELECT 2'],
    ],
    [
      'parentheses',
      `CREATE RULE r AS ON UPDATE TO t DO (SELECT 1; SELECT 2;); SELECT 3;`,
      [`CREATE RULE r AS ON UPDATE TO t DO (SELECT 1; SELECT 2;)`, 'SELECT 3'],
    ],
  ])('%s hide their semicolons', (_, dump, expected) => {
    expect(cut(dump)).toEqual(expected);
  });

  test('the body of an SQL function ends with its own END', () => {
    const body = `CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END`;
    expect(cut(`${body}; SELECT 1;`)).toEqual([body, 'SELECT 1']);
    expect(cut('BEGIN; SELECT 1; END;')).toEqual(['BEGIN', 'SELECT 1', 'END']);
  });

  test('a dump that was cut short is an error, not a shorter schema', () => {
    for (const dump of ['CREATE TABLE t (a int', `SELECT 'abc`, 'DO $$ x', 'SELECT 1; /* x', `SELECT E'x`]) {
      expect(() => splitStatements(dump)).toThrow(RangeError);
    }
  });

  test('whatever stands in names and strings, the statements come out as they went in', () => {
    const word = fc.string({ unit: 'grapheme', minLength: 1 }).filter((value) => !value.includes('\0'));
    fc.assert(
      fc.property(fc.array(fc.tuple(word, word), { minLength: 1 }), (pairs) => {
        const statements = pairs.map(
          ([a, b]) => `COMMENT ON TABLE public.${quoteIdentifier(a)} IS ${quoteLiteral(b)}`,
        );
        expect(cut(statements.map((sql) => `--\n-- Name: x; Type: y\n--\n\n${sql};\n\n`).join(''))).toEqual(
          statements,
        );
      }),
    );
  });
});

describe('sections', () => {
  test.each([
    ['CREATE TABLE public.t (a int);', 'definitions'],
    ['ALTER TABLE ONLY public.t ADD CONSTRAINT k PRIMARY KEY (a);', 'keys'],
    ['ALTER TABLE ONLY public.t ADD CONSTRAINT k UNIQUE (a);', 'keys'],
    ['ALTER TABLE ONLY public.t ADD CONSTRAINT k EXCLUDE USING gist (a WITH =);', 'indexes'],
    ['CREATE UNIQUE INDEX i ON public.t USING btree (a);', 'indexes'],
    ['ALTER TABLE ONLY public.t ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES public.u(a);', 'references'],
    ['CREATE STATISTICS public.s (dependencies) ON a, b FROM public.t;', 'constraints'],
    ['CREATE TRIGGER x BEFORE UPDATE OF a ON public.t FOR EACH ROW EXECUTE FUNCTION public.f();', 'triggers'],
    ['CREATE RULE r AS ON DELETE TO public.t DO INSTEAD NOTHING;', 'triggers'],
    ['ALTER TABLE public.t DISABLE TRIGGER x;', 'triggers'],
    ['ALTER TABLE public.t ENABLE ALWAYS TRIGGER x;', 'last'],
    ['ALTER TABLE public.t ENABLE REPLICA TRIGGER x;', 'last'],
    ['ALTER TABLE ONLY public.t FORCE ROW LEVEL SECURITY;', 'last'],
    ['CREATE EVENT TRIGGER e ON ddl_command_start EXECUTE FUNCTION public.f();', 'last'],
    ['CREATE PUBLICATION p FOR ALL TABLES;', 'last'],
    ['GRANT SELECT ON TABLE public.t TO reader;', 'privileges'],
    ['ALTER DEFAULT PRIVILEGES FOR ROLE a GRANT SELECT ON TABLES TO b;', 'privileges'],
  ])('%s', (sql, section) => {
    expect(sectionsOf(sql)).toEqual([section]);
  });

  test('a unique index that is the replica identity counts as a key, with all that belongs to it', () => {
    const dump = `CREATE UNIQUE INDEX i ON public.t USING btree (a);
      COMMENT ON INDEX public.i IS 'x';
      ALTER TABLE ONLY public.t REPLICA IDENTITY USING INDEX i;
      CREATE INDEX j ON public.t USING btree (b);`;
    expect(sectionsOf(dump)).toEqual(['keys', 'keys', 'keys', 'indexes']);
  });

  test('partition indexes are attached with the later of the two, at the child’s table', () => {
    const dump = `ALTER TABLE ONLY public.p ADD CONSTRAINT p_key PRIMARY KEY (a);
      ALTER TABLE ONLY "x y"."c;1" ADD CONSTRAINT c_key PRIMARY KEY (a);
      CREATE INDEX pi ON ONLY public.p USING btree (b);
      CREATE INDEX ci ON "x y"."c;1" USING btree (b);
      ALTER INDEX public.p_key ATTACH PARTITION "x y".c_key;
      ALTER INDEX public.pi ATTACH PARTITION "x y".ci;`;
    const statements = classify(dump);
    expect(statements.map(({ section }) => section)).toEqual([
      'keys',
      'keys',
      'indexes',
      'indexes',
      'keys',
      'indexes',
    ]);
    expect(statements[4]?.table).toEqual({ schema: 'x y', name: 'c;1' });
  });

  test('a view that needs a key, and the indexes after it, wait for the keys', () => {
    const dump = `CREATE VIEW public.v AS SELECT NULL::int AS a;
      ALTER TABLE ONLY public.t ADD CONSTRAINT k PRIMARY KEY (a);
      CREATE OR REPLACE VIEW public.v AS SELECT a FROM public.t GROUP BY a;
      CREATE INDEX i ON public.t USING btree (b);`;
    expect(sectionsOf(dump)).toEqual(['definitions', 'keys', 'constraints', 'constraints']);
  });

  test('what the move set itself is left out: its publication and its replica identities', () => {
    const dump = `CREATE TABLE public.t (a int);
      ALTER TABLE ONLY public.t REPLICA IDENTITY FULL;
      ALTER TABLE ONLY public.u REPLICA IDENTITY FULL;
      CREATE PUBLICATION dray_1 FOR TABLE public.t;
      ALTER PUBLICATION dray_1 OWNER TO postgres;`;
    const statements = classify(dump, {
      ignorePublications: ['dray_1'],
      ignoreReplicaIdentity: [{ schema: 'public', name: 't' }],
    });
    expect(statements.map(({ sql }) => sql.slice(0, 30))).toEqual([
      'CREATE TABLE public.t (a int)',
      'ALTER TABLE ONLY public.u REPL',
    ]);
  });

  test('a tablespace that was set before belongs to the statements that store rows', () => {
    const dump = `SET statement_timeout = 0; SET default_tablespace = fast; CREATE TABLE public.t (a int);
      ALTER TABLE public.t OWNER TO x; SET default_tablespace = ''; CREATE INDEX i ON public.t USING btree (a);`;
    expect(classify(dump).map(({ sql }) => sql)).toEqual([
      'SET default_tablespace = fast;\nCREATE TABLE public.t (a int)',
      'ALTER TABLE public.t OWNER TO x',
      `SET default_tablespace = '';\nCREATE INDEX i ON public.t USING btree (a)`,
    ]);
  });

  test('the same dump gives the same ids, and no two statements share one', () => {
    const dump =
      'CREATE TABLE public.t (a int); ALTER TABLE public.t OWNER TO x; ALTER TABLE public.t OWNER TO x;';
    const ids = classify(dump).map(({ id }) => id);
    expect(classify(dump).map(({ id }) => id)).toEqual(ids);
    expect(new Set(ids).size).toBe(3);
  });
});
