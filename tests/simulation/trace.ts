/**
 * What happened, line by line. Its hash is always kept, to see whether two runs were the same; the lines only
 * when somebody wants to read them.
 */
export class Trace {
  readonly lines: string[] = [];
  count = 0;
  readonly #keeps: boolean;
  readonly #start: number;
  #one = 0x811c9dc5;
  #two = 0x9e3779b1;

  /** @param start the time that the lines count from */
  constructor(keeps: boolean, start: number) {
    this.#keeps = keeps;
    this.#start = start;
  }

  add(at: number, what: string): void {
    const line = `${String(at - this.#start)} ${what}`;
    this.count += 1;
    for (let index = 0; index < line.length; index += 1) {
      const code = line.charCodeAt(index);
      this.#one = Math.imul(this.#one ^ code, 0x01000193);
      this.#two = Math.imul(this.#two ^ code, 0x85ebca6b) + index;
    }
    if (this.#keeps) this.lines.push(line);
  }

  get hash(): string {
    return `${(this.#one >>> 0).toString(16)}-${(this.#two >>> 0).toString(16)}`;
  }
}
