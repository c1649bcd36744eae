import { createServer } from 'node:http';
import { listenOnLoopback } from './listen.ts';

interface Message {
  status: string;
  alerts: { status: string; labels: Record<string, string> }[];
}

/** A webhook endpoint that answers 200 and keeps what it was told. */
export class WebhookRecorder {
  readonly #messages: Message[] = [];
  readonly #server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      this.#messages.push(JSON.parse(Buffer.concat(chunks).toString()) as Message);
      response.end();
    });
  });

  listen(): Promise<number> {
    return listenOnLoopback(this.#server);
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /** The statuses of the messages about one rule, in the order of their arrival. */
  told(rule: string): string[] {
    return this.#messages
      .filter(({ alerts }) => alerts.some(({ labels }) => labels.alertname === rule))
      .map(({ status }) => status);
  }
}
