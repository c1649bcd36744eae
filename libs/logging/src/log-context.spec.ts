import { EventEmitter } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type Context, context, type ContextManager, ROOT_CONTEXT, trace, TraceFlags } from '@opentelemetry/api';
import { activeSpan, contextFields, currentContext, extendContext, runInContext } from './log-context.js';

const ids = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };

/** The least that makes a span active, as tracing does. */
function inSpan(spanContext: { traceId: string; spanId: string }): void {
  const active = trace.setSpan(ROOT_CONTEXT, trace.wrapSpanContext({ ...spanContext, traceFlags: TraceFlags.SAMPLED }));
  const manager = { active: (): Context => active, disable: () => manager } as ContextManager;
  context.setGlobalContextManager(manager);
}

afterEach(() => context.disable());

describe('the context of a line', () => {
  it('C1: has the ids of the active span, unless it has others', () => {
    expect(contextFields()).toEqual({});
    inSpan(ids);
    expect(contextFields()).toEqual({ trace_id: ids.traceId, span_id: ids.spanId });
    runInContext({ requestId: 'r1' }, () => {
      expect(contextFields()).toMatchObject({ request_id: 'r1', trace_id: ids.traceId, span_id: ids.spanId });
    });
    runInContext({ traceId: 't1', spanId: 's1' }, () => {
      expect(contextFields()).toMatchObject({ trace_id: 't1', span_id: 's1' });
    });
  });

  it('C1: has no ids of a span that only stands for none', () => {
    inSpan({ traceId: '0'.repeat(32), spanId: '0'.repeat(16) });
    expect(activeSpan()).toBeUndefined();
    expect(contextFields()).toEqual({});
  });

  it('C4: each message of a WebSocket has its own, with what the connection learnt, and leaves nothing behind', async () => {
    const told: object[] = [];
    const receive = async (name: string) => {
      await nextTurn();
      extendContext({ job: `job of ${name}` });
      await nextTurn();
      told.push(currentContext());
    };
    const connect = (userId: string) => {
      const socket = new EventEmitter();
      // As at the upgrade, in the context of its request: so will every event of the socket come.
      runInContext({ requestId: `upgrade of ${userId}` }, () => {
        extendContext({ userId });
        socket.on('message', (name: string) => {
          void runInContext({ requestId: `message ${name}`, userId }, () => receive(name));
        });
      });
      return socket;
    };
    const [ada, ben] = [connect('ada'), connect('ben')];
    runInContext({ requestId: 'upgrade of ada' }, () => {
      ada.emit('message', '1');
      ben.emit('message', '2');
      ada.emit('message', '3');
      expect(currentContext()).toEqual({ requestId: 'upgrade of ada' });
    });
    for (let turns = 0; told.length < 3 && turns < 10; turns += 1) await nextTurn();
    expect(told).toEqual([
      { requestId: 'message 1', userId: 'ada', job: 'job of 1' },
      { requestId: 'message 2', userId: 'ben', job: 'job of 2' },
      { requestId: 'message 3', userId: 'ada', job: 'job of 3' },
    ]);
    expect(currentContext()).toEqual({});
  });
});
