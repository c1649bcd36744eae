/** Where and why a text is not JSON. */
export interface JsonFault {
  /** In UTF-16 code units from 0. */
  position: number;
  line: number;
  column: number;
  reason: string;
}

const blanks = /[ \t\r\n]*/y;
const numberOrWord = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
const escape = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

/**
 * Finds the first fault of a text that `JSON.parse` refused. V8 names a position for some faults only, and quotes the
 * text, which may hold secrets. Takes linear time and no stack, as the text may be hostile.
 */
export function jsonFault(text: string): JsonFault {
  const scanner = new Scanner(text);
  const reason = scanner.run();
  const { position } = scanner;
  const before = text.slice(0, position);
  return { position, line: before.split('\n').length, column: position - before.lastIndexOf('\n'), reason };
}

class Scanner {
  position = 0;
  /** What ends each array and object that is open. */
  private readonly closers: string[] = [];

  constructor(private readonly text: string) {}

  /** Moves to the first fault and returns the reason. */
  run(): string {
    let wanted: 'value' | 'value or ]' | 'key' | 'key or }' | ':' | ', or end' = 'value';
    for (;;) {
      this.skip(blanks);
      const character = this.text[this.position] ?? '';
      const closer = this.closers.at(-1);
      if (character !== '' && character === closer && (wanted === ', or end' || wanted.endsWith(character))) {
        this.closers.pop();
        this.position += 1;
        wanted = ', or end';
      } else if (wanted === ', or end') {
        if (closer === undefined || character !== ',') return this.unexpected();
        this.position += 1;
        wanted = closer === '}' ? 'key' : 'value';
      } else if (wanted === ':') {
        if (character !== ':') return this.unexpected();
        this.position += 1;
        wanted = 'value';
      } else if (character === '"') {
        const fault = this.string();
        if (fault) return fault;
        wanted = wanted.startsWith('key') ? ':' : ', or end';
      } else if (wanted.startsWith('key')) {
        return this.unexpected();
      } else if (character === '{' || character === '[') {
        this.closers.push(character === '{' ? '}' : ']');
        this.position += 1;
        wanted = character === '{' ? 'key or }' : 'value or ]';
      } else if (this.skip(numberOrWord)) {
        wanted = ', or end';
      } else {
        return this.unexpected();
      }
    }
  }

  /** Passes a string; returns the reason if it is at fault. Character by character: no pattern survives a megabyte of escapes. */
  private string(): string | undefined {
    for (this.position += 1; this.position < this.text.length; this.position += 1) {
      const code = this.text.charCodeAt(this.position);
      if (code < 0x20) return 'Unescaped control character in a string';
      if (code === 0x22) {
        this.position += 1;
        return undefined;
      }
      if (code === 0x5c) {
        if (!this.skip(escape)) return 'Bad escape in a string';
        this.position -= 1;
      }
    }
    return 'Unterminated string';
  }

  private skip(pattern: RegExp): boolean {
    pattern.lastIndex = this.position;
    if (!pattern.test(this.text)) return false;
    this.position = pattern.lastIndex;
    return true;
  }

  private unexpected(): string {
    return `Unexpected ${this.position >= this.text.length ? 'end of text' : describe(this.text, this.position)}`;
  }
}

function describe(text: string, position: number): string {
  const character = String.fromCodePoint(text.codePointAt(position) ?? 0);
  return /[\p{L}\p{N}\p{P}\p{S}]/u.test(character) ? `"${character}"` : `U+${hex(character.codePointAt(0) ?? 0)}`;
}

function hex(code: number): string {
  return code.toString(16).toUpperCase().padStart(4, '0');
}
