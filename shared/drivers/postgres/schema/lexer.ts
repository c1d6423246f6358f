/**
 * Cuts the text that pg_dump writes into statements. A semicolon ends a statement unless it stands in a
 * string, a quoted name, a comment, a dollar quote, parentheses or the BEGIN … END body of an SQL function:
 * the rules of psql.
 */
export interface Token {
  /** `word`: unquoted, folded to lower case. `name`: was in double quotes, unescaped. */
  readonly kind: 'word' | 'name' | 'string' | 'symbol';
  readonly text: string;
}

export interface RawStatement {
  /** Without the final semicolon and without comments before it. */
  readonly sql: string;
  /** The first tokens, enough to tell what the statement is about. */
  readonly head: readonly Token[];
}

const headLength = 48;
const start = /[A-Za-z_\u0080-\uffff]/;
const pattern =
  /(?<space>\s+)|(?<comment>--[^\n]*)|(?<block>\/\*)|(?<escape>[eE]')|(?<quote>')|(?<dollar>\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$)|(?<name>"(?:[^"]|"")*")|(?<word>[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)|(?<number>\d[\w.]*)|(?<symbol>[^])/y;

export function splitStatements(dump: string): RawStatement[] {
  const statements: RawStatement[] = [];
  let head: Token[] = [];
  let begins = -1;
  let parens = 0;
  let bodies = 0;
  let at = 0;
  const note = (kind: Token['kind'], text: string): void => {
    if (head.length < headLength) head.push({ kind, text });
  };
  while (at < dump.length) {
    pattern.lastIndex = at;
    const groups = pattern.exec(dump)?.groups;
    if (groups === undefined) break;
    const from = at;
    at = pattern.lastIndex;
    const { space, comment, block, escape, quote, dollar, name, word, symbol } = groups;
    if (space !== undefined || comment !== undefined) continue;
    if (block !== undefined) {
      at = endOfBlockComment(dump, at);
      continue;
    }
    if (begins < 0) {
      if (symbol === ';') continue;
      begins = from;
    }
    if (escape !== undefined || quote !== undefined) {
      at = escape === undefined ? closing(dump, "'", at) : endOfEscapeString(dump, at);
      note('string', dump.slice(from, at));
    } else if (dollar !== undefined) {
      at = closing(dump, dollar, at);
      note('string', dump.slice(from, at));
    } else if (name !== undefined) {
      note('name', name.slice(1, -1).replaceAll('""', '"'));
    } else if (word !== undefined) {
      const lower = word.toLowerCase();
      note('word', lower);
      if (parens === 0 && createsRoutine(head)) bodies += bodyStep(lower, bodies);
    } else if (symbol === ';' && parens === 0 && bodies === 0) {
      statements.push({ sql: dump.slice(begins, from).trimEnd(), head });
      head = [];
      begins = -1;
    } else {
      if (symbol === '(') parens += 1;
      if (symbol === ')') parens = Math.max(0, parens - 1);
      note('symbol', symbol ?? dump.slice(from, at));
    }
  }
  if (begins >= 0 && start.test(dump.slice(begins))) {
    throw new RangeError(`the dump ends inside a statement: ${dump.slice(begins, begins + 80)}`);
  }
  return statements;
}

function createsRoutine(head: readonly Token[]): boolean {
  if (head[0]?.text !== 'create') return false;
  const kind = head[1]?.text === 'or' ? head[3]?.text : head[1]?.text;
  return kind === 'function' || kind === 'procedure';
}

function bodyStep(word: string, depth: number): number {
  if (word === 'begin') return 1;
  if (word === 'case') return depth > 0 ? 1 : 0;
  if (word === 'end') return depth > 0 ? -1 : 0;
  return 0;
}

/** The position after the next `mark`. A doubled quote reads as two strings in a row, which cuts the same. */
function closing(dump: string, mark: string, from: number): number {
  const found = dump.indexOf(mark, from);
  if (found < 0) throw new RangeError(`the dump ends inside a string opened by ${mark}`);
  return found + mark.length;
}

function endOfEscapeString(dump: string, from: number): number {
  for (let at = from; at < dump.length; at += 1) {
    if (dump[at] === '\\') at += 1;
    else if (dump[at] === "'") {
      if (dump[at + 1] !== "'") return at + 1;
      at += 1;
    }
  }
  throw new RangeError('the dump ends inside an escape string');
}

function endOfBlockComment(dump: string, from: number): number {
  let depth = 1;
  for (let at = from; at < dump.length; at += 1) {
    const two = dump.slice(at, at + 2);
    if (two === '/*') depth += 1;
    if (two === '*/') depth -= 1;
    if (two === '/*' || two === '*/') at += 1;
    if (depth === 0) return at + 1;
  }
  throw new RangeError('the dump ends inside a comment');
}
