import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';

/** The person asked pressed Ctrl-C or Ctrl-D. */
export class NothingAnsweredError extends Error {
  override readonly name = 'NothingAnsweredError';
}

/** Asks at a terminal for what must not be shown while it is typed. */
export async function askSecret(
  question: string,
  { input, output }: { input: NodeJS.ReadableStream; output: { write(text: string): unknown } },
): Promise<string> {
  // readline puts the terminal into raw mode and edits the line; what it would echo goes nowhere.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const line = createInterface({ input, output: nowhere, terminal: true, historySize: 0 });
  output.write(question);
  try {
    return await new Promise<string>((resolve, reject) => {
      line.once('line', resolve);
      const give = () => reject(new NothingAnsweredError('nothing was typed'));
      line.once('SIGINT', give);
      line.once('close', give);
    });
  } finally {
    line.close();
    output.write('\n');
  }
}
