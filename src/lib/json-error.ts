// Where a text stops being JSON, and what should stand there. `JSON.parse` does not always say, and every version of
// V8 says it in other words. The grammar is RFC 8259's.

export interface JsonError {
  /** Both count from 1. */
  readonly line: number;
  readonly column: number;
  readonly expected: string;
}

const SPACE = /[ \t\n\r]*/y;
const STRING = /"(?:[ !#-[\]-\u{10ffff}]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/uy;
const LITERAL = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

/** Finds the first place where `text`, which `JSON.parse` refused, is no JSON. */
export function findJsonError(text: string): JsonError {
  const scanner = new Scanner(text);
  try {
    scanner.readValue();
    scanner.expectEnd();
  } catch (error) {
    if (!(error instanceof Misfit)) throw error;
    return { ...positionOf(text, scanner.offset), expected: error.message };
  }
  return { ...positionOf(text, text.length), expected: "something else" };
}

class Misfit extends Error {}

class Scanner {
  readonly #text: string;
  offset = 0;

  constructor(text: string) {
    this.#text = text;
  }

  readValue(): void {
    if (this.#takes("{")) this.#readRest("}", () => this.#readMember());
    else if (this.#takes("[")) this.#readRest("]", () => this.readValue());
    else if (!this.#matches(STRING) && !this.#matches(LITERAL)) throw new Misfit("a value");
  }

  expectEnd(): void {
    this.#matches(SPACE);
    if (this.offset < this.#text.length) throw new Misfit("the end of the file");
  }

  #readRest(end: string, readItem: () => void): void {
    if (this.#takes(end)) return;
    do readItem();
    while (this.#takes(","));
    if (!this.#takes(end)) throw new Misfit(`"," or "${end}"`);
  }

  #readMember(): void {
    this.#matches(SPACE);
    if (!this.#matches(STRING)) throw new Misfit("a name in double quotes");
    if (!this.#takes(":")) throw new Misfit('":"');
    this.readValue();
  }

  /** Takes the mark and the white space on both sides of it. */
  #takes(mark: string): boolean {
    this.#matches(SPACE);
    if (!this.#text.startsWith(mark, this.offset)) return false;
    this.offset += mark.length;
    this.#matches(SPACE);
    return true;
  }

  #matches(pattern: RegExp): boolean {
    pattern.lastIndex = this.offset;
    const [match] = pattern.exec(this.#text) ?? [];
    this.offset += match?.length ?? 0;
    return match !== undefined;
  }
}

function positionOf(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset).split("\n");
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}
