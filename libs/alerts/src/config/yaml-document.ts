import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  LineCounter,
  type Node,
  parseDocument,
  type Scalar,
  visit,
} from 'yaml';
import { AlertsConfigError, type AlertsConfigFault } from './fault.js';
import { SECRET_TOKEN } from './secret.js';

/** Where a value stands, for a fault found after it was read. */
export interface Place {
  readonly line: number;
  readonly column: number;
  readonly path: string;
}

/** Answers what an encrypted value holds. Throws an Error that says why it cannot be told. */
export type OpenSecret = (encrypted: string) => string;

const refuseEncrypted: OpenSecret = () => {
  throw new Error('is encrypted, and ENCRYPTION_KEYS is not set');
};

/** As many aliases as a file may follow: a few lines of nested anchors could otherwise mean billions of values. */
const MAX_ALIASES = 10_000;

/**
 * A YAML text being read: its nodes with their positions, the faults found so far, and which scalars are secrets.
 * Scalars stay text (the failsafe schema), because what `yes`, `09:00` or `1` mean depends on the field, as it does in
 * Alertmanager's YAML 1.1.
 */
export class YamlDocument {
  readonly #faults = new Map<string, AlertsConfigFault>();
  readonly #document: Document.Parsed;
  readonly #lines = new LineCounter();
  readonly #secrets = new Set<Scalar>();
  #aliases = 0;

  /** @throws AlertsConfigError when the text is not YAML. */
  constructor(
    private readonly text: string,
    readonly open: OpenSecret = refuseEncrypted,
  ) {
    this.#document = parseDocument(text, {
      schema: 'failsafe',
      lineCounter: this.#lines,
      prettyErrors: false,
      logLevel: 'error',
    });
    for (const { pos, message } of this.#document.errors) this.fault(message, { ...this.#position(pos[0]), path: '' });
    if (this.faults.length > 0) throw new AlertsConfigError(this.faults);
  }

  get faults(): readonly AlertsConfigFault[] {
    return [...this.#faults.values()];
  }

  /** Of several faults of one value the first counts: the others mostly follow from it. */
  fault(message: string, place: Place): undefined {
    const { line, column, path } = place;
    const value = `${line}:${column} ${path}`;
    if (!this.#faults.has(value)) this.#faults.set(value, { line, column, path, message });
  }

  get root(): Cursor {
    return new Cursor(this, this.#document.contents, '', undefined);
  }

  place(node: Node | null, path: string): Place {
    return { ...this.#position(node?.range?.[0] ?? 0), path };
  }

  /** Follows an alias. Undefined, with a fault, where it leads nowhere or the file abuses aliases. */
  resolve(node: Node | null, path: string): Node | null | undefined {
    if (!isAlias(node)) return node;
    const target = ++this.#aliases > MAX_ALIASES ? undefined : node.resolve(this.#document);
    if (target) return target;
    const message = this.#aliases > MAX_ALIASES ? 'too many aliases' : `unknown anchor '${node.source}'`;
    return this.fault(message, this.place(node, path));
  }

  markSecret(scalar: Scalar): void {
    this.#secrets.add(scalar);
  }

  /**
   * The text with other secrets, and otherwise as it is, to the byte: in place of each that `change` answers another value
   * for, stands that one in quotes. What `change` throws is a fault of the value.
   *
   * @throws AlertsConfigError
   */
  withSecrets(change: (value: string) => string): string {
    let { text } = this;
    const inOrder = [...this.#secrets].sort((one, other) => other.range![0] - one.range![0]);
    for (const scalar of inOrder) {
      const value = String(scalar.value);
      const [start, end] = scalar.range!;
      try {
        const changed = value === '' || value === SECRET_TOKEN ? value : change(value);
        if (changed === value) continue;
        const lineEnd = scalar.type?.startsWith('BLOCK') ? /\r?\n$/.exec(text.slice(start, end)) : null;
        text = `${text.slice(0, start)}${JSON.stringify(changed)}${lineEnd?.[0] ?? ''}${text.slice(end)}`;
      } catch (error) {
        this.fault(`the value ${(error as Error).message}`, this.place(scalar, ''));
      }
    }
    if (this.faults.length > 0) throw new AlertsConfigError(this.faults);
    return text;
  }

  /** The text with `<secret>` for every secret, and without comments: they often hold the secrets of yesterday. */
  withoutSecrets(): string {
    const document = this.#document.clone() as Document.Parsed;
    const secrets = new Set([...this.#secrets].map((scalar) => scalar.range![0]));
    document.commentBefore = document.comment = null;
    visit(document, {
      Node: (_, node) => {
        node.comment = node.commentBefore = undefined;
        if (!isScalar(node) || node.value === '' || !secrets.has(node.range?.[0] ?? -1)) return;
        node.value = SECRET_TOKEN;
        node.type = 'PLAIN';
      },
    });
    return document.toString({ lineWidth: 0 });
  }

  #position(offset: number): { line: number; column: number } {
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  }
}

/** One value of the document together with its path, and what it was reached through. */
export class Cursor {
  readonly document: YamlDocument;
  readonly node: Node | null;
  readonly path: string;
  /** An alias that leads nowhere, which has been told: there is nothing to read. */
  readonly broken: boolean;
  readonly #parent: Cursor | undefined;
  readonly #place: Place;

  constructor(document: YamlDocument, node: Node | null, path: string, parent: Cursor | undefined, key?: Node) {
    this.document = document;
    this.path = path;
    this.#parent = parent;
    const empty = node === null || node.range?.[0] === node.range?.[1];
    this.#place = document.place((empty && key) || node, path);
    const resolved = document.resolve(node, path);
    const circular = resolved !== undefined && parent !== undefined && parent.#holds(resolved);
    if (circular) this.fault('an anchor must not contain itself');
    this.broken = circular || resolved === undefined;
    this.node = this.broken ? null : resolved!;
  }

  get place(): Place {
    return this.#place;
  }

  pathOf(field: string): string {
    return this.path === '' ? field : `${this.path}.${field}`;
  }

  /** The place of a field that is not there. */
  absent(field: string): Place {
    return { ...this.#place, path: this.pathOf(field) };
  }

  child(node: Node | null, path: string, key?: Node): Cursor {
    return new Cursor(this.document, node, path, this, key);
  }

  fault(message: string, place: Place = this.#place): undefined {
    return this.document.fault(message, place);
  }

  /** YAML's null, written or left out. */
  isNull(): boolean {
    const { node } = this;
    return node === null || (isScalar(node) && isPlain(node) && /^(?:~|null|Null|NULL)?$/.test(String(node.value)));
  }

  /** `a list`, `a mapping`, `text`: for saying what was found. */
  describe(): string {
    if (this.isNull()) return 'nothing';
    return isScalar(this.node) ? 'text' : isMap(this.node) ? 'a mapping' : 'a list';
  }

  #holds(node: Node | null): boolean {
    if (node === null || isScalar(node)) return false;
    return this.node === node || (this.#parent !== undefined && this.#parent.#holds(node));
  }
}

/** Neither quoted nor a block: only such scalars are numbers, booleans and null. */
export function isPlain(scalar: Scalar): boolean {
  return scalar.type === 'PLAIN' || scalar.type === undefined;
}
