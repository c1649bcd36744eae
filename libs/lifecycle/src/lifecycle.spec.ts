import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  type BeforeApplicationShutdown,
  Controller,
  Get,
  Injectable,
  Logger,
  Module,
  type OnApplicationShutdown,
  type OnModuleDestroy,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Lifecycle } from './lifecycle.js';
import { LifecycleModule } from './lifecycle.module.js';

beforeAll(() => void Logger.overrideLogger(false));

describe('Lifecycle', () => {
  it('G1: goes from starting to ready to draining to stopped, and never back', async () => {
    const lifecycle = new Lifecycle();
    const seen: string[] = [lifecycle.state];
    lifecycle.onStateChange((state) => seen.push(state));
    lifecycle.onStateChange(() => {
      throw new Error('a listener that fails');
    });
    lifecycle.ready();
    lifecycle.drain();
    lifecycle.ready();
    await lifecycle.stop();
    lifecycle.drain();
    expect(seen).toEqual(['starting', 'ready', 'draining', 'stopped']);
  });

  it('G1: runs each stop once, last in first out, whatever fails or hangs', async () => {
    const lifecycle = new Lifecycle();
    const ran: string[] = [];
    lifecycle.onStop('database', () => void ran.push('database'));
    lifecycle.onStop('hanging', () => new Promise(() => undefined), { timeoutMs: 20 });
    lifecycle.onStop('throwing', () => {
      throw new Error('planted');
    });
    lifecycle.onStop('queue', async () => {
      await sleep(5);
      ran.push('queue');
      lifecycle.onStop('opened while stopping', () => void ran.push('late'));
    });
    const [first, second] = await Promise.all([lifecycle.stop(), lifecycle.stop()]);
    expect(second).toBe(first);
    expect(ran).toEqual(['queue', 'late', 'database']);
    expect(first.map(({ name, outcome }) => [name, outcome])).toEqual([
      ['queue', 'stopped'],
      ['opened while stopping', 'stopped'],
      ['throwing', 'failed'],
      ['hanging', 'timed out'],
      ['database', 'stopped'],
    ]);
    expect(() => lifecycle.onStop('late', () => undefined)).toThrow('late was started after the process had stopped');
  });

  it('G3: the drain signal aborts when draining starts', () => {
    const lifecycle = new Lifecycle();
    expect(lifecycle.drainSignal.aborted).toBe(false);
    lifecycle.drain();
    expect(lifecycle.drainSignal.aborted).toBe(true);
  });

  it('A3: one reload that fails keeps no other from running', async () => {
    const lifecycle = new Lifecycle();
    let read = 0;
    lifecycle.onReload('bad', () => Promise.reject(new Error('planted')));
    lifecycle.onReload('good', () => void (read += 1));
    expect(await lifecycle.reload()).toBe(false);
    expect(read).toBe(1);
  });
});

describe('LifecycleModule', () => {
  it('G1: app.close() drains first, lets a request in flight finish, then runs the stops', async () => {
    const order: string[] = [];
    @Injectable()
    class Hooks implements OnModuleDestroy, BeforeApplicationShutdown, OnApplicationShutdown {
      onModuleDestroy = () => void order.push('onModuleDestroy');
      beforeApplicationShutdown = () => void order.push('beforeApplicationShutdown');
      onApplicationShutdown = () => void order.push('onApplicationShutdown');
    }
    @Controller()
    class Slow {
      @Get()
      async slow(): Promise<string> {
        order.push('request came');
        await sleep(200);
        order.push('request done');
        return 'whole';
      }
    }
    @Module({
      imports: [LifecycleModule.forRoot({ drainDelayMs: 0, shutdownTimeoutMs: 5_000 })],
      controllers: [Slow],
      providers: [Hooks],
    })
    class App {}
    const app = await NestFactory.create<NestFastifyApplication>(App, new FastifyAdapter(), { logger: false });
    await app.listen(0, '127.0.0.1');
    const lifecycle = app.get(Lifecycle);
    lifecycle.ready();
    lifecycle.onStateChange((state) => order.push(state));
    lifecycle.onStop('database', () => void order.push('database closed'));
    lifecycle.onStop('queue', () => void order.push('queue closed'));
    const answer = fetch(await app.getUrl(), { headers: { connection: 'close' } }).then((response) => response.text());
    for (let tries = 0; tries < 1_000 && !order.includes('request came'); tries += 1) await sleep(5);
    await app.close();
    expect(await answer).toBe('whole');
    const stops = ['queue closed', 'database closed', 'stopped'];
    expect(order.filter((step) => step !== 'onApplicationShutdown')).toEqual(
      expect.arrayContaining(['request came', 'draining', 'onModuleDestroy', 'request done', ...stops]),
    );
    const at = (step: string) => order.indexOf(step);
    expect(at('draining')).toBeLessThan(at('request done'));
    expect(at('beforeApplicationShutdown')).toBeLessThan(at('request done'));
    expect(at('request done')).toBeLessThan(at('queue closed'));
    expect(order.filter((step) => stops.includes(step))).toEqual(stops);
    expect(at('request done')).toBeLessThan(at('onApplicationShutdown'));
  });
});
