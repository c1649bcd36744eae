import { Controller, Get, Header, Headers, Res, ServiceUnavailableException } from '@nestjs/common';
import { NoTotalsError } from './cluster-worker.js';
import { contentTypes, negotiate } from './exposition.js';
import { metricsPaths } from './metrics-server.js';
import { scrape } from './scrape.js';

/** The part of a Fastify or Express reply that is needed here. */
interface Reply {
  header(name: string, value: string): unknown;
}

/** What Prometheus scrapes, on the app's own port. */
@Controller()
export class MetricsController {
  /** In OpenMetrics, with exemplars, for those that ask for it; else in Prometheus' text format. */
  @Get([...metricsPaths])
  @Header('Cache-Control', 'no-store')
  async metrics(
    @Headers('accept') accept: string | undefined,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<string> {
    const format = negotiate(accept);
    try {
      const text = await scrape(format);
      reply.header('Content-Type', contentTypes[format]);
      return text;
    } catch (error) {
      throw error instanceof NoTotalsError ? new ServiceUnavailableException(error.message, { cause: error }) : error;
    }
  }
}
