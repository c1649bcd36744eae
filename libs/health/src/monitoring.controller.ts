import { Controller, Get, Header, Inject, Optional, Res } from '@nestjs/common';
import { HealthAnswers } from './health-answers.js';
import { HEALTH_INFO, type HealthInfo, type RunningInfo, runningInfo } from './health-info.js';
import { type Reply, send } from './health.controller.js';

/** What operators ask: it tells of the inside, and so wants authentication wherever strangers can reach it. */
@Controller('monitoring')
export class MonitoringController {
  constructor(
    private readonly answers: HealthAnswers,
    @Optional() @Inject(HEALTH_INFO) private readonly about?: HealthInfo,
  ) {}

  /** Every check with its duration, times, details and error; 503 only if unhealthy. */
  @Get('health/detailed')
  @Header('Cache-Control', 'no-store')
  @Header('Content-Type', 'application/json; charset=utf-8')
  detailed(@Res({ passthrough: true }) reply: Reply): string | Promise<string> {
    return send(reply, this.answers.detailed());
  }

  /** Which program this is, and since when and where it runs. */
  @Get('info')
  @Header('Cache-Control', 'no-store')
  info(): RunningInfo {
    return runningInfo(this.about);
  }
}
