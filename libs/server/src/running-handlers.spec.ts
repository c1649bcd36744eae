import { describe, expect, it } from '@jest/globals';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { RunningHandlers } from './running-handlers.js';

const requests = ['a', 'b', 'c'].map((id) => ({ id }) as FastifyRequest);
const replies = requests.map(() => ({}) as FastifyReply);

function running(): RunningHandlers {
  const handlers = new RunningHandlers();
  requests.forEach((request, index) => handlers.add(request, replies[index]!));
  return handlers;
}

const idsOf = (handlers: RunningHandlers, moment: number) =>
  [...handlers.takeBegunBefore(moment)].map(({ request }) => request.id);

describe('running handlers', () => {
  it('gives those that began before a moment, in their order, once', () => {
    const handlers = running();
    expect(idsOf(handlers, performance.now() - 60_000)).toEqual([]);
    expect(idsOf(handlers, performance.now())).toEqual(['a', 'b', 'c']);
    expect(idsOf(handlers, performance.now())).toEqual([]);
  });

  it('forgets those that have answered, wherever they stand, and however often they say so', () => {
    for (const [index, rest] of [
      ['b', 'c'],
      ['a', 'c'],
      ['a', 'b'],
    ].entries()) {
      const handlers = running();
      handlers.delete(replies[index]!);
      handlers.delete(replies[index]!);
      expect(idsOf(handlers, performance.now())).toEqual(rest);
    }
    running().delete({} as FastifyReply);
  });

  it('goes on where an answer ends another handler meanwhile', () => {
    const handlers = running();
    const seen: string[] = [];
    for (const { request } of handlers.takeBegunBefore(performance.now())) {
      seen.push(request.id);
      handlers.delete(replies[1]!);
    }
    expect(seen).toEqual(['a', 'c']);
  });
});
