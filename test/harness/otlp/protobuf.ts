/** What one field of a protobuf message holds on the wire: a number, or bytes that its schema gives a meaning. */
export type Field = bigint | Buffer;

/** The fields of a message by number, in order of appearance. https://protobuf.dev/programming-guides/encoding/ */
export class Message {
  readonly #fields = new Map<number, Field[]>();

  constructor(bytes: Buffer) {
    let at = 0;
    const varint = (): bigint => {
      for (let value = 0n, shift = 0n; ; shift += 7n) {
        const byte = bytes.readUInt8(at++);
        value |= BigInt(byte & 0x7f) << shift;
        if (byte < 0x80) return value;
      }
    };
    const fixed = (size: 4 | 8): bigint => {
      at += size;
      return size === 8 ? bytes.readBigUInt64LE(at - 8) : BigInt(bytes.readUInt32LE(at - 4));
    };
    const delimited = (): Buffer => {
      const length = Number(varint());
      if (at + length > bytes.length) throw new Error('a field reaches beyond the end of its message');
      at += length;
      return bytes.subarray(at - length, at);
    };
    while (at < bytes.length) {
      const tag = Number(varint());
      const value = this.#read(tag & 7, { varint, fixed, delimited });
      this.#fields.set(tag >> 3, [...(this.#fields.get(tag >> 3) ?? []), value]);
    }
  }

  #read(type: number, read: { varint: () => bigint; fixed: (size: 4 | 8) => bigint; delimited: () => Buffer }): Field {
    if (type === 0) return read.varint();
    if (type === 1) return read.fixed(8);
    if (type === 2) return read.delimited();
    if (type === 5) return read.fixed(4);
    throw new Error(`there is no wire type ${type}`);
  }

  has(number: number): boolean {
    return this.#fields.has(number);
  }

  number(number: number): bigint {
    return (this.#fields.get(number)?.at(-1) as bigint | undefined) ?? 0n;
  }

  bytes(number: number): Buffer {
    return (this.#fields.get(number)?.at(-1) as Buffer | undefined) ?? Buffer.alloc(0);
  }

  text(number: number): string {
    return this.bytes(number).toString('utf8');
  }

  messages(number: number): Message[] {
    return ((this.#fields.get(number) ?? []) as Buffer[]).map((bytes) => new Message(bytes));
  }
}
