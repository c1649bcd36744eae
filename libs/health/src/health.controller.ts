import { Controller, Get, Header, HttpException, HttpStatus, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { HealthRegistry, type HealthReport, type ProcessState } from './health-registry.js';

/** The answer of readiness: what the checks say, or that the process is not there (any more) for requests. */
export type Readiness = HealthReport | { status: Exclude<ProcessState, 'ready'>; checks: Record<string, never> };

/** The part of a Fastify or Express reply that is needed here. */
interface Reply {
  status(code: number): unknown;
}

/** What Kubernetes, load balancers and Compose ask. Nothing here says more than names and states. */
@ApiExcludeController()
@Controller('health')
export class HealthController {
  constructor(private readonly registry: HealthRegistry) {}

  /** 200 as long as the process can answer at all; it depends on nothing else. */
  @Get('live')
  @Header('Cache-Control', 'no-store')
  live(): { status: 'healthy' } {
    return { status: 'healthy' };
  }

  /** 200 if requests are welcome: the process is ready and no critical check fails; else 503. */
  @Get('ready')
  @Header('Cache-Control', 'no-store')
  async ready(@Res({ passthrough: true }) reply: Reply): Promise<Readiness> {
    const readiness = await this.readiness();
    if (readiness.status !== 'healthy' && readiness.status !== 'degraded') reply.status(HttpStatus.SERVICE_UNAVAILABLE);
    return readiness;
  }

  /** 200 once start-up is complete, and ever after. */
  @Get('startup')
  @Header('Cache-Control', 'no-store')
  startup(): { status: 'started' } {
    if (this.registry.processState !== 'starting') return { status: 'started' };
    throw new HttpException('The process is starting', HttpStatus.SERVICE_UNAVAILABLE);
  }

  private async readiness(): Promise<Readiness> {
    const before = this.registry.processState;
    if (before !== 'ready') return { status: before, checks: {} };
    const report = await this.registry.check();
    const after = this.registry.processState; // draining may have begun meanwhile
    return after === 'ready' ? report : { status: after, checks: {} };
  }
}
