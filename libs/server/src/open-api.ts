import type { INestApplication } from '@nestjs/common';
import type { SwaggerModule } from '@nestjs/swagger';
import * as z from 'zod';

/** What `schema` of `@ApiBody` and `@ApiResponse` take. */
type OpenApiSchema = Extract<
  NonNullable<Parameters<typeof SwaggerModule.createDocument>[1]['components']>['schemas'],
  object
>[string];

export interface ApiDescription {
  title: string;
  version: string;
  description?: string;
}

/** What the libraries serve for those who watch the app: no part of its API. */
const monitoring = /^\/(health|metrics|monitoring)(\/|$)/;

/**
 * Serves the API's description: for people at `/docs`, for programs at `/docs-json`. To be called before the app listens.
 * Only here swagger is loaded: whoever describes nothing does without its 10 MiB.
 */
export async function describeApi(
  app: INestApplication,
  { title, version, description = '' }: ApiDescription,
): Promise<void> {
  const { DocumentBuilder, SwaggerModule } = await import('@nestjs/swagger');
  const config = new DocumentBuilder().setTitle(title).setVersion(version).setDescription(description).addBearerAuth({
    type: 'http',
    scheme: 'bearer',
    description: 'An API key, or the access token of a login.',
  });
  const document = () => {
    const whole = SwaggerModule.createDocument(app, config.build());
    const paths = Object.entries(whole.paths).filter(([path]) => !monitoring.test(path));
    return { ...whole, paths: Object.fromEntries(paths) };
  };
  SwaggerModule.setup('docs', app, document, { jsonDocumentUrl: 'docs-json', customSiteTitle: title });
}

/** A zod schema in OpenAPI's terms: as clients write it (`input`), or as they get it (`output`). */
export function schemaOf(schema: z.ZodType, io: 'input' | 'output' = 'input'): OpenApiSchema {
  return z.toJSONSchema(schema, { target: 'openapi-3.0', io, unrepresentable: 'any' }) as OpenApiSchema;
}
