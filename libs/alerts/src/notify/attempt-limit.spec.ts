import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { getEventListeners } from 'node:events';
import { AttemptLimit } from './attempt-limit.js';

let job: AbortController;
let limit: AttemptLimit;

beforeEach(() => {
  jest.useFakeTimers();
  job = new AbortController();
  limit = new AttemptLimit(job.signal, 10_000, {});
});
afterEach(() => {
  limit.end();
  jest.useRealTimers();
});

describe('H7: the limit of an attempt', () => {
  it('ends it when the time is up, and not before', () => {
    jest.advanceTimersByTime(9_999);
    expect([limit.signal.aborted, limit.exceeded]).toEqual([false, false]);
    jest.advanceTimersByTime(1);
    expect([limit.signal.aborted, limit.exceeded]).toEqual([true, true]);
  });

  it('ends it with its job, whose time is not up', () => {
    job.abort();
    expect([limit.signal.aborted, limit.exceeded]).toEqual([true, false]);
    const late = new AttemptLimit(job.signal, 10_000, {});
    expect([late.signal.aborted, late.exceeded]).toEqual([true, false]);
    late.end();
  });

  it('leaves nothing behind once the attempt has ended', () => {
    expect([jest.getTimerCount(), getEventListeners(job.signal, 'abort').length]).toEqual([1, 1]);
    limit.end();
    expect([jest.getTimerCount(), getEventListeners(job.signal, 'abort').length]).toEqual([0, 0]);
  });
});
