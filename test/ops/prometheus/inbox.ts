import { simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';
import { listenOnLoopback } from './listen.ts';

/** An SMTP server that takes every message and keeps its subject. */
export class Inbox {
  readonly subjects: string[] = [];
  readonly #server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData: (stream, _session, done) => {
      simpleParser(stream).then(({ subject }) => {
        this.subjects.push(subject ?? '');
        done();
      }, done);
    },
  });

  listen(): Promise<number> {
    return listenOnLoopback(this.#server.server);
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#server.close(resolve));
  }
}
