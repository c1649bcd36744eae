import { Injectable } from '@nestjs/common';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';
import type { HttpDependency } from './http-dependency.js';
import { resultOf } from './verdict.js';

const headers = { 'user-agent': 'eyrie-health', accept: '*/*' };

/**
 * Whether an HTTP service answers a GET with 2xx or 3xx. Redirects are not followed and bodies not read. Terminus has an
 * indicator of its own for that, which wants axios.
 */
@Injectable()
export class HttpIndicator {
  constructor(private readonly indicators: HealthIndicatorService) {}

  async check({ name, url }: HttpDependency, signal?: AbortSignal): Promise<HealthIndicatorResult> {
    const { status, ok, body } = await fetch(url, { redirect: 'manual', headers, ...(signal && { signal }) });
    await body?.cancel();
    const isUp = ok || (status >= 300 && status < 400);
    const message = isUp ? undefined : `answered ${status}`;
    return resultOf(this.indicators, name, isUp ? 'up' : 'down', { httpStatus: status }, message);
  }
}
