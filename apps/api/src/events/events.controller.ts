import { Controller, Get, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { type AuthenticatedRequest, Authentication, RequireScope } from 'eyrie/auth';
import { LiveEvents } from 'eyrie/realtime';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** Live events. OpenAPI has no words for WebSockets: the protocol stands in the README of eyrie/realtime. */
@ApiExcludeController()
@Controller('ws')
export class EventsController {
  constructor(
    private readonly events: LiveEvents,
    private readonly authentication: Authentication,
  ) {}

  @Get()
  @RequireScope('read')
  connect(@Req() request: FastifyRequest & AuthenticatedRequest, @Res() reply: FastifyReply): void {
    const credential = this.authentication.credentialIn(request.headers.authorization)!;
    this.events.accept(request, reply, {
      key: `${request.caller!.kind}:${request.caller!.id}`,
      isStillWelcome: async () => (await this.authentication.verify(credential))?.scopes.includes('read') ?? false,
    });
  }
}
