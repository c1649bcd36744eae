import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { type HealthChange, HealthRegistry } from 'eyrie/health';
import { Lifecycle } from 'eyrie/lifecycle';
import { eventually } from '../../../test/harness/eventually.js';
import { type TestHub, testHub } from '../../../test/harness/hub.js';
import { AlertsService } from './alerts.service.js';
import { HealthAlerts } from './health-alerts.js';

Logger.overrideLogger(false);

/** Tells of changes when the test says so. */
class TestRegistry extends HealthRegistry {
  change: (change: HealthChange) => void = () => undefined;

  override onChange(listener: (change: HealthChange) => void): () => void {
    this.change = listener;
    return () => (this.change = () => undefined);
  }
}

let hub: TestHub;
let registry: TestRegistry;
let lifecycle: Lifecycle;
/** How often the hub refuses, as it does while its database is away. */
let refusals: number;

beforeAll(async () => {
  hub = await testHub({ config: 'route: { receiver: nobody }\nreceivers: [{ name: nobody }]\n' });
});
beforeEach(async () => {
  await hub.clear();
  refusals = 0;
  [registry, lifecycle] = [new TestRegistry(), new Lifecycle()];
  const service = hub.get(AlertsService);
  const reluctant = (work: () => Promise<void>) => (refusals-- > 0 ? Promise.reject(new Error('away')) : work());
  const alerts = {
    trigger: (...alert: Parameters<typeof service.trigger>) => reluctant(() => service.trigger(...alert)),
    resolve: (...alert: Parameters<typeof service.resolve>) => reluctant(() => service.resolve(...alert)),
  } as AlertsService;
  const options = { service: 'api', repeatMs: 50, retryMs: 10 };
  new HealthAlerts(options, registry, alerts, lifecycle).onApplicationBootstrap();
});
afterEach(() => lifecycle.stop());
afterAll(() => hub.close());

const change = (to: HealthChange['to'], critical = false): HealthChange => ({
  ...{ check: 'redis', from: 'healthy', to, critical },
  ...(to !== 'healthy' && { error: 'no answer' }),
});
const alerts = () =>
  hub.query<{ state: string; severity: string; occurrences: number; labels: Record<string, string> }>(
    `SELECT state, severity, occurrences::int, labels FROM alerts ORDER BY id`,
  );
const states = async () => (await alerts()).map(({ severity, state }) => `${severity} ${state}`);
const become = (wanted: string[]) => eventually(async () => JSON.stringify(await states()) === JSON.stringify(wanted));

describe('a change of health', () => {
  it('F6: raises an alert, which says whose health it is, and resolves it', async () => {
    registry.change(change('degraded'));
    await become(['medium firing']);
    const [alert] = await alerts();
    expect(alert!.labels).toMatchObject({ alertname: 'HealthCheckFailed', service: 'api', check: 'redis' });
    registry.change(change('healthy'));
    await become(['medium resolved']);
  });

  it('F6: is said again as long as it lasts, so that the alert outlives no process', async () => {
    registry.change(change('unhealthy', true));
    await eventually(async () => ((await alerts())[0]?.occurrences ?? 0) >= 3);
    expect(await states()).toEqual(['critical firing']);
  });

  it('F6: is told once the hub can take it, if it is still true then', async () => {
    refusals = 3;
    registry.change(change('degraded'));
    await become(['medium firing']);
    refusals = 1_000_000;
    registry.change({ ...change('degraded'), check: 'disk' });
    registry.change({ ...change('healthy'), check: 'disk' });
    refusals = 0;
    registry.change(change('healthy'));
    await become(['medium resolved']);
  });

  it('F6: raises nothing after the process has stopped', async () => {
    await lifecycle.stop();
    registry.change(change('degraded'));
    expect(await states()).toEqual([]);
  });
});
