import { inspect } from 'node:util';

/** What stands where a secret was, in Alertmanager's own spelling. */
export const SECRET_TOKEN = '<secret>';

/**
 * A string that must not be shown by accident: printing, serialising or inspecting it gives `<secret>`.
 * Only {@link reveal} gives the value, so that every use can be found by searching for it.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return SECRET_TOKEN;
  }

  toJSON(): string {
    return SECRET_TOKEN;
  }

  [inspect.custom](): string {
    return SECRET_TOKEN;
  }
}
