import { afterAll, beforeAll, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { START, testHub, type TestHub } from '../../../../test/harness/hub.js';

const config = `
route: { receiver: nobody }
global: { resolve_timeout: 60s }
receivers: [{ name: nobody }]`;
const TIMEOUT_S = 60;

/** What a sender says of one alert; times in seconds relative to now. Without an end: resolve_timeout. */
interface Post {
  start?: number;
  end?: number;
  annotation: string;
  hub: number;
  thenS: number;
}

interface ModelEpisode {
  state: 'firing' | 'resolved';
  start: number;
  end: number;
  said: boolean;
  occurrences: number;
}

/** Episodes of one alert as one would keep them in a list. Seconds since the start of the test. */
class Model {
  readonly episodes: ModelEpisode[] = [];

  post(now: number, { start, end }: Post): void {
    const latest = this.episodes.at(-1);
    const said = end !== undefined;
    const until = said ? now + end : now + TIMEOUT_S;
    const from = start === undefined ? Math.min(now, until) : now + start;
    if (until > now) this.fires(latest, from, until, said);
    else this.ends(latest, from, until, start === undefined);
  }

  private fires(latest: ModelEpisode | undefined, from: number, until: number, said: boolean): void {
    if (!latest || from > latest.end) {
      if (latest) latest.state = 'resolved';
      this.episodes.push({ state: 'firing', start: from, end: until, said, occurrences: 1 });
      return;
    }
    const holds = latest.state === 'firing' && latest.said;
    latest.end = holds ? Math.max(latest.end, until) : until;
    latest.said = holds || said;
    latest.start = Math.min(from, latest.start);
    latest.state = 'firing';
    latest.occurrences++;
  }

  private ends(latest: ModelEpisode | undefined, from: number, until: number, startUnknown: boolean): void {
    const after = latest?.state === 'resolved' && from > latest.end && !startUnknown;
    if (!latest || (after && until >= latest.start)) {
      this.episodes.push({ state: 'resolved', start: from, end: until, said: true, occurrences: 1 });
      return;
    }
    const stale = until < latest.start && !(startUnknown && latest.state === 'firing');
    if (stale) return;
    const end =
      latest.state === 'firing' ? Math.max(until, startUnknown ? latest.start : until) : Math.max(until, latest.end);
    const start = startUnknown && latest.state === 'firing' ? latest.start : Math.min(from, latest.start);
    Object.assign(latest, { state: 'resolved', start, end, said: true, occurrences: latest.occurrences + 1 });
  }
}

const post: fc.Arbitrary<Post> = fc
  .record({
    start: fc.option(fc.constantFrom(0, -5, -20, -50, -200), { nil: undefined }),
    end: fc.option(fc.constantFrom(-100, -30, -5, 0, 5, 30, 120), { nil: undefined }),
    annotation: fc.constantFrom('x', 'x', 'y'),
    hub: fc.nat(1),
    thenS: fc.constantFrom(0, 0, 3, 20, 70),
  })
  .filter(({ start, end }) => end === undefined || start === undefined || start <= end);

let hubs: TestHub[];
beforeAll(async () => {
  const hub = await testHub({ config });
  hubs = [hub, await testHub({ config, beside: hub })];
});
afterAll(async () => {
  for (const hub of hubs.reverse()) await hub.close();
});

it('H3: two hubs make of any sequence of posts the episodes that a plain list would', async () => {
  const [hub] = hubs as [TestHub];
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(post, { minLength: 1, maxLength: 10 }), async (posts) => {
      const labels = { alertname: 'X', run: String(++run) };
      hub.clock.reset();
      const model = new Model();
      for (const one of posts) {
        const now = hub.clock.now();
        const at = (seconds: number | undefined) => (seconds === undefined ? undefined : now + seconds * 1_000);
        const times = { startsAt: at(one.start), endsAt: at(one.end) };
        await hubs[one.hub]!.post({ labels, annotations: { text: one.annotation }, ...times });
        model.post((now - START) / 1_000, one);
        hub.clock.advance(one.thenS * 1_000);
      }
      const rows = await hub.query(
        `SELECT state, (extract(epoch FROM starts_at) - $1)::float8 AS start, (extract(epoch FROM ends_at) - $1)::float8 AS end,
           NOT timeout AS said, occurrences::int FROM alerts WHERE labels->>'run' = $2 ORDER BY id`,
        [START / 1_000, labels.run],
      );
      expect(rows).toEqual(model.episodes);
    }),
    { numRuns: 150 },
  );
}, 60_000);
