import { afterEach, describe, expect, it } from '@jest/globals';
import { type ContextManager, context, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { fastify, type FastifyInstance } from 'fastify';
import { requestLog } from './access-log.js';
import { extendContext } from './log-context.js';
import { createLogger, levelsOf } from './logger.js';

type Line = Record<string, unknown>;

const traceId = '0af7651916cd43dd8448eb211c80319c';
let servers: FastifyInstance[] = [];

afterEach(async () => {
  context.disable();
  for (const server of servers.splice(0)) await server.close();
});

async function serve() {
  const lines: Line[] = [];
  const output = { write: (line: string) => void lines.push(JSON.parse(line) as Line), flushSync: () => undefined };
  const pino = createLogger({ level: 'info', format: 'json', service: 's', version: '1', environment: 'test', output });
  const server = fastify();
  servers = [...servers, server];
  server.addHook('onRequest', requestLog(server, pino, { quiet: (route) => route.startsWith('/health') }));
  server.get('/hello/:name', async () => {
    extendContext({ userId: 'ada' });
    context.disable(); // the span is over when the answer is out
    return { hello: true };
  });
  server.get('/health/live', () => ({}));
  const url = await server.listen({ port: 0, host: '127.0.0.1' });
  /** A request of its own connection: when that is closed, the request is logged. */
  const ask = async (path: string, headers: Record<string, string> = {}) => {
    const closed = new Promise((resolve) =>
      server.server.once('request', (_, answer) => answer.once('close', resolve)),
    );
    await (await fetch(url + path, { headers: { ...headers, connection: 'close' } })).text();
    await closed;
  };
  return { lines, ask, levels: levelsOf(pino) };
}

describe('the access log', () => {
  it('C1, C3: a line has the user, and the span that was active when the request came', async () => {
    const { lines, ask } = await serve();
    const span = trace.wrapSpanContext({ traceId, spanId: 'b7ad6b7169203331', traceFlags: 1 });
    const active = trace.setSpan(ROOT_CONTEXT, span);
    const manager = { active: () => active, disable: () => manager } as ContextManager;
    context.setGlobalContextManager(manager);
    await ask('/hello/ada?token=planted');
    expect(lines).toEqual([
      expect.objectContaining({
        logger: 'AccessLog',
        message: 'Request completed',
        url: '/hello/ada?token=[redacted]',
        route: '/hello/:name',
        user_id: 'ada',
        trace_id: traceId,
        span_id: 'b7ad6b7169203331',
      }),
    ]);
  });

  it('C3, C5: a line that was searched for secrets, because of what the client said, has the same fields in the same order', async () => {
    const { lines, ask } = await serve();
    const agents = ['curl/8.14 "quoted" \\ and \u00fc', 'curl/8.14 token=planted-secret'];
    for (const agent of agents) await ask('/hello/ada', { 'user-agent': agent });
    const [plain, searched] = lines as [Line, Line];
    expect(Object.keys(searched)).toEqual(Object.keys(plain));
    expect(plain).toMatchObject({
      message: 'Request completed',
      user_agent: agents[0],
      status_code: 200,
      level: 'info',
    });
    expect(searched.user_agent).toBe('curl/8.14 token=[redacted]');
  });

  it('C6: follows the level of the logger AccessLog', async () => {
    const { lines, ask: request, levels } = await serve();
    const ask = async () => {
      lines.length = 0;
      await request('/hello/ada');
      await request('/health/live');
      return lines.map(({ message }) => message);
    };
    expect(await ask()).toEqual(['Request completed']);
    levels.set('AccessLog', 'debug');
    expect(await ask()).toEqual(['Request received', 'Request completed']);
    levels.set('AccessLog', 'warn');
    expect(await ask()).toEqual([]);
    levels.set('AccessLog', null);
    levels.set('Other', 'trace');
    expect(await ask()).toEqual(['Request completed']);
  });
});
