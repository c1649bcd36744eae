type Redact = (text: string) => string;

let redact: Redact = (text) => text;

/** From here on, what errors say passes through this on its way out. */
export function redactErrorsBy(given: Redact): void {
  redact = given;
}

export function redactText(text: string): string {
  return redact(text);
}
