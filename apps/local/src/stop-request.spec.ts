import { EventEmitter } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { onStopRequest } from './stop-request.js';

function listen() {
  const heard: string[] = [];
  const source = new EventEmitter();
  const clock = { now: 1_000 };
  onStopRequest({ first: () => heard.push('first'), second: () => heard.push('second') }, source, () => clock.now);
  return { heard, source, clock };
}

describe('a request to stop', () => {
  it('G1: drains at the first, and forces at the second', () => {
    const { heard, source, clock } = listen();
    source.emit('SIGINT');
    clock.now += 2_000;
    source.emit('SIGINT');
    expect(heard).toEqual(['first', 'second']);
  });

  it('takes the echo of the same key press that npm sends for the same request', () => {
    const { heard, source, clock } = listen();
    source.emit('SIGINT');
    clock.now += 3;
    source.emit('SIGINT');
    expect(heard).toEqual(['first']);
  });

  it.each(['SIGTERM', 'SIGHUP'])('may be %s', (signal) => {
    const { heard, source } = listen();
    source.emit(signal);
    expect(heard).toEqual(['first']);
  });
});
