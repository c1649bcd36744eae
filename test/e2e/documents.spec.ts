import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { testApi, type TestApi } from '../harness/api.js';

interface Media {
  schema?: object;
  examples?: Record<string, { value: unknown }>;
}
interface Operation {
  summary?: string;
  tags?: string[];
  security?: object[];
  parameters?: { name: string; in: string; schema?: object }[];
  requestBody?: { content: Record<string, Media> };
  responses: Record<string, { description: string; content?: Record<string, Media> }>;
}
interface OpenApi {
  openapi: string;
  info: { title: string; version: string };
  paths: Record<string, Record<string, Operation>>;
  components: { securitySchemes: object };
}

let api: TestApi;
let operations: { name: string; method: string; path: string; operation: Operation }[];
let document: OpenApi;
beforeAll(async () => {
  api = await testApi();
  document = (await api.ask('GET', '/docs-json', { key: null })).json as OpenApi;
  operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${path}`, method, path, operation })),
  );
});
afterAll(() => api.close());

/** Nobody has a token yet who asks for one. */
const leadingToALogin = ['post /api/auth/login', 'post /api/auth/refresh', 'post /api/auth/logout'];

/** The names of those operations for which the sentence is not true. */
const breaking = (isKept: (operation: Operation, method: string, path: string) => boolean) =>
  operations.filter(({ operation, method, path }) => !isKept(operation, method, path)).map(({ name }) => name);

describe('the OpenAPI document', () => {
  it('H2: is of this product, and knows how to authorise', () => {
    expect(document).toMatchObject({ openapi: '3.0.0', info: { title: 'Eyrie', version: '0.0.0' } });
    expect(document.components.securitySchemes).toMatchObject({ bearer: { scheme: 'bearer', type: 'http' } });
  });

  it('H2: gives each operation a summary, a tag and its authorisation', () => {
    expect(breaking(({ summary }) => (summary ?? '').length > 10)).toEqual([]);
    expect(breaking(({ tags }) => tags?.length === 1)).toEqual([]);
    const open = breaking(({ security }) => JSON.stringify(security) === '[{"bearer":[]}]');
    expect(open).toEqual(leadingToALogin);
  });

  it('H2: describes what each operation answers: success, and every refusal', () => {
    expect(
      breaking(({ responses }) => Object.values(responses).every(({ description }) => description !== '')),
    ).toEqual([]);
    expect(
      breaking(({ responses }) => Object.keys(responses).filter((status) => /^2/.test(status)).length === 1),
    ).toEqual([]);
    for (const status of ['401', '403', '503']) {
      const silent = breaking(
        ({ responses }) => responses[status]?.content?.['application/problem+json'] !== undefined,
      );
      expect([status, silent.filter((name) => !leadingToALogin.includes(name))]).toEqual([status, []]);
    }
    const canRefuse = ({ parameters = [], requestBody }: Operation) =>
      parameters.length > 0 || requestBody !== undefined;
    expect(breaking((operation) => !canRefuse(operation) || '400' in operation.responses)).toEqual([]);
  });

  it('H2: has a schema for every parameter, every body, and every answer that has one', () => {
    expect(breaking(({ parameters = [] }) => parameters.every(({ schema }) => schema !== undefined))).toEqual([]);
    const bodies = operations.filter(({ operation }) => operation.requestBody);
    expect(bodies.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['post /api/v1/alerts', 'post /api/v1/integrations/alertmanager', 'post /api/v2/alerts']),
    );
    expect(bodies.filter(({ operation }) => !operation.requestBody?.content['application/json']?.schema)).toEqual([]);
    expect(breaking(({ responses }, method) => method !== 'get' || responses['200']?.content !== undefined)).toEqual(
      [],
    );
  });

  it('H2: has an example for every body, and each is well formed', async () => {
    for (const { name, method, path, operation } of operations) {
      if (!operation.requestBody) continue;
      const examples = Object.entries(operation.requestBody.content['application/json']?.examples ?? {});
      expect([name, examples.length]).not.toEqual([name, 0]);
      for (const [title, { value }] of examples) {
        const somebody = '0198c1a2-0000-7000-8000-000000000001';
        const answer = await api.ask(method.toUpperCase(), path.replace(/\{\w+\}/g, somebody), { body: value });
        const known = Object.keys(operation.responses).map(Number).includes(answer.status);
        // What the examples speak of need not be there, and who asks need not be allowed to: that comes after the form.
        expect([name, title, known && ![400, 413, 415].includes(answer.status), answer.text]).toEqual([
          ...[name, title, true, answer.text],
        ]);
      }
    }
  });

  it('H2: is a page for people at /docs', async () => {
    const page = await api.ask('GET', '/docs', { key: null });
    expect([page.status, page.headers.get('content-type')]).toEqual([200, expect.stringMatching(/^text\/html/)]);
    expect(page.text).toContain('<title>Eyrie</title>');
    const files = [...page.text.matchAll(/(?:src|href)="(\.?\/?docs\/[^"]+)"/g)].map(([, file]) => file!);
    expect(files.length).toBeGreaterThan(2);
    for (const file of files) {
      const path = new URL(file, `${api.url}/`).pathname;
      expect([path, (await api.ask('GET', path, { key: null })).status]).toEqual([path, 200]);
    }
  });
});
