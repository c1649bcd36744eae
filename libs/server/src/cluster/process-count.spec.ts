import { describe, expect, it } from '@jest/globals';
import { processCount } from './process-count.js';

const mebibytes = 2 ** 20;

describe('processCount', () => {
  it.each([
    [4, 8_192, 4],
    [2.9, 8_192, 2],
    [0.5, 8_192, 1],
    [8, 1_100, 4],
    [8, 100, 1],
  ])('B1: auto with %d CPUs and %d MiB is %d', (cpus, memory, expected) => {
    const machine = () => ({ cpus, memoryBytes: memory * mebibytes });
    expect(processCount('auto', 256 * mebibytes, machine)).toBe(expected);
  });

  it('B1: a number is taken as it is, and the machine is not asked', () => {
    const machine = () => {
      throw new Error('asked');
    };
    expect(processCount(3, 256 * mebibytes, machine)).toBe(3);
  });

  it('B1: auto finds its limits by itself', () => {
    expect(processCount('auto', 1)).toBeGreaterThanOrEqual(1);
  });
});
