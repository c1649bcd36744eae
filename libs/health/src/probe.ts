/**
 * `node probe.js URL`: what a container's HEALTHCHECK runs. Ends with status 0 if the URL answers 2xx within the limit, else
 * with 1 and a sentence. It loads nothing but Node's own client: it runs every few seconds beside the app, on its CPU.
 */
import { get, type IncomingMessage } from 'node:http';

/** Below the three seconds after which orchestrators commonly give up, so that they get our sentence. */
const LIMIT_MS = 2_500;

/** Bodies are a few hundred bytes; of a stranger's answer no more is kept. */
const KEPT = 500;

export interface ProbeResult {
  ok: boolean;
  /** The answer as far as it says why, or why there is none. */
  text: string;
}

/** Asks once. Never throws. */
export async function probe(url: string, limitMs = LIMIT_MS): Promise<ProbeResult> {
  const signal = AbortSignal.timeout(limitMs);
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      get(url, { signal, agent: false }, resolve).once('error', reject);
    });
    let text = '';
    for await (const chunk of response.setEncoding('utf8')) {
      text += String(chunk);
      if (text.length >= KEPT) break;
    }
    const status = response.statusCode ?? 0;
    return { ok: status >= 200 && status < 300, text: `${status} ${text.slice(0, KEPT)}`.trim() };
  } catch (error) {
    const { message, name } = error as Error;
    return { ok: false, text: signal.aborted ? `no answer within ${limitMs} ms` : message || name };
  }
}

if (import.meta.main) {
  const { ok, text } = await probe(process.argv[2] ?? '');
  process[ok ? 'stdout' : 'stderr'].write(`${text}\n`);
  process.exit(ok ? 0 : 1); // not after the connection has fallen idle
}
