import { Controller, Get, Header, Res } from '@nestjs/common';
import { type Answering, type HealthAnswer, HealthAnswers } from './health-answers.js';

/** The part of a Fastify or Express reply that is needed here. */
export interface Reply {
  status(code: number): unknown;
}

/** What Kubernetes, load balancers and Compose ask. Nothing here says more than names and states. */
@Controller()
export class HealthController {
  constructor(private readonly answers: HealthAnswers) {}

  /** 200 as long as the process can answer at all; it depends on nothing outside. */
  @Get('health/live')
  @Header('Cache-Control', 'no-store')
  @Header('Content-Type', 'application/json; charset=utf-8')
  live(@Res({ passthrough: true }) reply: Reply): string | Promise<string> {
    return send(reply, this.answers.live());
  }

  /** 200 if requests are welcome: the process is ready and no critical check fails; else 503. */
  @Get('health/ready')
  @Header('Cache-Control', 'no-store')
  @Header('Content-Type', 'application/json; charset=utf-8')
  ready(@Res({ passthrough: true }) reply: Reply): string | Promise<string> {
    return send(reply, this.answers.ready());
  }

  /** 200 once start-up is complete, and ever after. */
  @Get('health/startup')
  @Header('Cache-Control', 'no-store')
  @Header('Content-Type', 'application/json; charset=utf-8')
  startup(@Res({ passthrough: true }) reply: Reply): string | Promise<string> {
    return send(reply, this.answers.startup());
  }

  /** Everything by name and state; 503 only if unhealthy. */
  @Get(['health', 'monitoring/health'])
  @Header('Cache-Control', 'no-store')
  @Header('Content-Type', 'application/json; charset=utf-8')
  summary(@Res({ passthrough: true }) reply: Reply): string | Promise<string> {
    return send(reply, this.answers.summary());
  }
}

/** Sends a prepared answer as it is: without a promise where there is none to wait for. */
export function send(reply: Reply, answer: Answering): string | Promise<string> {
  const sendNow = ({ code, body }: HealthAnswer) => {
    reply.status(code);
    return body;
  };
  return answer instanceof Promise ? answer.then(sendNow) : sendNow(answer);
}
