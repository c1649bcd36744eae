import { describe, expect, it } from '@jest/globals';
import { AlertsConfigError, type Receiver } from '../config/index.js';
import { parseEscalations } from './escalations-config.js';
import { dueAt, dueSteps } from './schedule.js';

const receivers = new Map<string, Receiver>(['oncall', 'managers'].map((name) => [name, { name, integrations: [] }]));
const parse = (text: string) => parseEscalations(text, receivers);

const good = `
escalations:
  - name: critical
    matchers: ['severity="critical"', team=~"db|web"]
    steps:
      - { after: 15m, receiver: oncall }
      - { after: 30m, receiver: managers }
    repeat: 1h
  - { name: rest, steps: [{ after: 0s, receiver: oncall }] }
`;

function faultsOf(text: string): string[] {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof AlertsConfigError) {
      return error.faults.map(({ line, path, message }) => `${line} ${path}: ${message}`);
    }
    throw error;
  }
  return [];
}

describe('H6: the file with escalations', () => {
  it('H6: says who is told when; the first that matches counts', () => {
    const escalations = parse(good);
    expect(escalations.for({ severity: 'critical', team: 'db' })).toMatchObject({
      name: 'critical',
      steps: [
        { afterMs: 900_000, receiver: 'oncall' },
        { afterMs: 1_800_000, receiver: 'managers' },
      ],
      repeatMs: 3_600_000,
    });
    expect(escalations.for({ severity: 'critical' })?.name).toBe('rest');
    expect(parse('').for({})).toBeUndefined();
    expect(parse(good).hash).toBe(parse(`# the same\n${good}`).hash);
    expect(parse(good.replace('15m', '16m')).hash).not.toBe(escalations.hash);
  });

  it('H6: is refused with every fault and its place', () => {
    const bad = `
escalations:
  - name: "a/b"
    matchers: [severity~critical]
    steps: [{ after: 15x, receiver: nobody }, { receiver: oncall }]
  - name: same
    steps: []
  - { name: same, steps: [{ after: 5m, receiver: oncall }, { after: 5m }], repeat: 30s, until: 1h }
  - { steps: oncall }
`;
    expect(faultsOf(bad)).toEqual([
      expect.stringMatching(/^3 escalations\[0\]\.name: a name has/),
      expect.stringMatching(/^4 escalations\[0\]\.matchers\[0\]: /),
      expect.stringMatching(/^5 escalations\[0\]\.steps\[0\]\.after: not a valid duration/),
      '5 escalations[0].steps[0].receiver: undefined receiver "nobody" used in escalation',
      '5 escalations[0].steps[1].after: missing after in step',
      '7 escalations[1].steps: needs at least one step',
      '8 escalations[2].name: escalation name "same" is not unique',
      '8 escalations[2].steps[1].receiver: missing receiver in step',
      '8 escalations[2].steps[1].after: must be later than the step before',
      '8 escalations[2].repeat: must be at least 1m',
      '8 escalations[2].until: unknown field: until',
      '9 escalations[3].name: missing name in escalation',
      '9 escalations[3].steps: expected a list, found text',
    ]);
    expect(faultsOf('escalations: {')).toHaveLength(1);
  });
});

describe('H6: the times of steps', () => {
  const [repeating, once] = parse(good).all as [ReturnType<typeof parse>['all'][0], ReturnType<typeof parse>['all'][0]];
  const minutes = (count: number) => count * 60_000;

  it('H6: count from when the alert fired; rounds follow each other so long as the file says', () => {
    const due = [0, 1, 2, 3, 4].map((nth) => dueAt(repeating, 0, nth)! / 60_000);
    expect(due).toEqual([15, 30, 90, 105, 165]);
    expect([dueAt(once, 7, 0), dueAt(once, 7, 1)]).toEqual([7, undefined]);
  });

  it('H6: that were missed are made up for once, however many', () => {
    expect(dueSteps(repeating, 0, 0, minutes(14))).toEqual({ receivers: [], next: 0, nextAt: minutes(15) });
    expect(dueSteps(repeating, 0, 1, minutes(89))).toEqual({ receivers: ['managers'], next: 2, nextAt: minutes(90) });
    expect(dueSteps(repeating, 0, 0, minutes(200))).toEqual({
      receivers: ['oncall', 'managers'],
      next: 6,
      nextAt: minutes(240),
    });
  });
});
