import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { testApi, type TestApi } from '../harness/api.js';

let api: TestApi;
beforeAll(async () => {
  api = await testApi();
});
afterAll(() => api.close());

describe('the silences of /api/v1', () => {
  interface View {
    id: string;
    state: string;
    matchers: string[];
    startsAt: string;
    createdBy: string;
    events?: { type: string; actor: string; address: string; requestId: string }[];
  }
  const ask = async (method: string, path: string, status: number, body?: object) => {
    const answer = await api.ask(method, `/api/v1/silences${path}`, { body });
    expect([answer.status, answer.text]).toEqual([status, answer.text]);
    return answer.json as View;
  };
  const wanted = { matchers: ['service="v1"', 'severity=~"low|medium"'], duration: '2h', comment: 'new disks' };

  it('H5: are made by whoever asks, changed, ended, and keep their history', async () => {
    const made = await ask('POST', '', 201, wanted);
    expect(made).toMatchObject({ state: 'active', matchers: wanted.matchers, comment: 'new disks' });
    expect(made.createdBy).not.toBe('');
    const changed = await ask('PUT', `/${made.id}`, 200, { ...wanted, duration: '3h' });
    expect(changed).toMatchObject({ id: made.id, startsAt: made.startsAt });
    expect(await ask('DELETE', `/${made.id}`, 200)).toMatchObject({ id: made.id, state: 'expired' });
    const { events } = await ask('GET', `/${made.id}`, 200);
    expect(events!.map(({ type }) => type)).toEqual(['created', 'updated', 'expired']);
    const text = expect.stringMatching(/./);
    for (const event of events!) expect(event).toMatchObject({ actor: text, address: '127.0.0.1', requestId: text });
  });

  it('H5: come in pages', async () => {
    for (let count = 0; count < 3; count++) await ask('POST', '', 201, wanted);
    const filter = encodeURIComponent('service="v1"');
    const page = (cursor: string) => ask('GET', `?state=active&limit=2&filter=${filter}${cursor}`, 200);
    const first = (await page('')) as unknown as { silences: View[]; next: string };
    const second = (await page(`&cursor=${first.next}`)) as unknown as { silences: View[]; next?: string };
    expect([first.silences.length, second.silences.length, second.next]).toEqual([2, 1, undefined]);
    for (const { id } of [...first.silences, ...second.silences]) await ask('DELETE', `/${id}`, 200);
  });

  it.each([
    [{}, ['/matchers', '/comment']],
    [{ ...wanted, matchers: ['a="b"', 'c'] }, ['/matchers/1']],
    [{ ...wanted, endsAt: soonest() }, ['/endsAt']],
    [{ ...wanted, duration: 'soon' }, ['/duration']],
    [{ ...wanted, matchers: ['a=~".*"'] }, ['/matchers']],
    [{ ...wanted, duration: undefined, endsAt: '2020-01-01T00:00:00Z' }, ['/endsAt']],
    [{ ...wanted, comment: 'a\u0000' }, ['/comment']],
    [{ ...wanted, createdBy: 'somebody else' }, ['/createdBy']],
  ])('H5: name every fault of %j', async (body, pointers) => {
    const problem = (await ask('POST', '', 400, body)) as unknown as { errors: { pointer: string }[] };
    expect(problem.errors.map(({ pointer }) => pointer)).toEqual(pointers);
  });

  it('H5: 404 where there is none', async () => {
    const none = '/00000000-0000-4000-8000-000000000000';
    await ask('GET', none, 404);
    await ask('PUT', none, 404, wanted);
    await ask('DELETE', none, 404);
    await ask('DELETE', '/nope', 400);
  });

  function soonest() {
    return '2099-01-01T00:00:00Z';
  }
});
