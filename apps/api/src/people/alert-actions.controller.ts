import { applyDecorators, Controller, HttpCode, Param, ParseUUIDPipe, Post, Req } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { AlertActions, type AlertAttention, AlertEnded, AlertNotFound, Clock } from 'eyrie/alerts';
import { RequireScope } from 'eyrie/auth';
import { Problem, schemaOf, ZodBody } from 'eyrie/server';
import type * as z from 'zod';
import { ApiProblem } from '../api-docs.js';
import { CallerNeeded } from '../auth/auth-docs.js';
import { alertAttention, comment, note, optionalNote, snooze } from './people.schemas.js';
import { type IdentifiedRequest, requesterOf } from './requester.js';

const LONGEST_SNOOZE_MS = 366 * 86_400_000;

/** What the routes have in common: how they answer. */
function Action(summary: string, description?: string): MethodDecorator {
  return applyDecorators(
    HttpCode(200),
    ApiOperation({ summary, ...(description && { description }) }),
    ApiResponse({ status: 200, description: 'How the alert is now.', schema: schemaOf(alertAttention, 'output') }),
    ApiProblem(400, 'Every fault with its place.'),
    ApiProblem(404, 'There is no such alert.'),
  );
}

const OptionalNote = () =>
  ApiBody({ required: false, schema: schemaOf(note), examples: { note: { value: { text: 'Looking' } } } });

/** What people do about an alert. To ask twice for the same changes nothing; each change is recorded. */
@ApiTags('alerts')
@CallerNeeded()
@RequireScope('respond')
@Controller('api/v1/alerts/:id')
export class AlertActionsController {
  constructor(
    private readonly actions: AlertActions,
    private readonly clock: Clock,
  ) {}

  @Post('acknowledge')
  @Action(
    'Take care of an alert: no reminders of it, and an escalation stops',
    'It holds until the episode ends. Who acknowledges after another takes over.',
  )
  @OptionalNote()
  @ApiProblem(409, 'The episode is over.')
  acknowledge(
    @Param('id', ParseUUIDPipe) id: string,
    @ZodBody(optionalNote) { text }: z.output<typeof optionalNote>,
    @Req() request: IdentifiedRequest,
  ) {
    return answering(() => this.actions.acknowledge(id, requesterOf(request), text));
  }

  @Post('unacknowledge')
  @Action('Take care of it no longer: reminders come again, and an escalation begins anew')
  @OptionalNote()
  unacknowledge(
    @Param('id', ParseUUIDPipe) id: string,
    @ZodBody(optionalNote) { text }: z.output<typeof optionalNote>,
    @Req() request: IdentifiedRequest,
  ) {
    return answering(() => this.actions.unacknowledge(id, requesterOf(request), text));
  }

  @Post('comment')
  @Action("Add to an alert's history")
  @ApiBody({ schema: schemaOf(comment), examples: { comment: { value: { text: 'The log had filled the disk.' } } } })
  comment(
    @Param('id', ParseUUIDPipe) id: string,
    @ZodBody(comment) { text }: z.output<typeof comment>,
    @Req() request: IdentifiedRequest,
  ) {
    return answering(() => this.actions.comment(id, requesterOf(request), text));
  }

  @Post('resolve')
  @Action(
    'End an alert by hand',
    'Receivers are told as of any other end. Whoever sends the alert again, as Prometheus does while its rule holds, ' +
      'reopens it; while it is snoozed nobody is told of that.',
  )
  @OptionalNote()
  resolve(
    @Param('id', ParseUUIDPipe) id: string,
    @ZodBody(optionalNote) { text }: z.output<typeof optionalNote>,
    @Req() request: IdentifiedRequest,
  ) {
    return answering(() => this.actions.resolve(id, requesterOf(request), text));
  }

  @Post('snooze')
  @Action(
    'Tell nobody of an alert until a time',
    'It holds for the alert with these labels, also when that ends and fires again meanwhile. Escalations pause.',
  )
  @ApiBody({ schema: schemaOf(snooze), examples: { night: { value: { for: '8h' } }, end: { value: { until: null } } } })
  @ApiProblem(409, 'The episode is over.')
  snooze(
    @Param('id', ParseUUIDPipe) id: string,
    @ZodBody(snooze) body: z.output<typeof snooze>,
    @Req() request: IdentifiedRequest,
  ) {
    return answering(() => this.actions.snooze(id, requesterOf(request), this.endOf(body), body.text));
  }

  /** In milliseconds; undefined: now. */
  private endOf({ for: spanMs, until }: z.output<typeof snooze>): number | undefined {
    if (until === null) return undefined;
    const ahead = until === undefined ? spanMs! : Date.parse(until) - this.clock.now();
    if (ahead > 0 && ahead <= LONGEST_SNOOZE_MS)
      return until === undefined ? this.clock.now() + ahead : Date.parse(until);
    const pointer = spanMs === undefined ? '/until' : '/for';
    const detail = ahead > 0 ? 'is more than a year ahead' : 'is not ahead';
    throw new Problem(400, 'invalid-request', 'The body is not valid', { errors: [{ pointer, detail }] });
  }
}

async function answering(act: () => Promise<AlertAttention>): Promise<AlertAttention> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof AlertNotFound) throw new Problem(404, 'alert-not-found', 'There is no alert with this id');
    if (error instanceof AlertEnded) throw new Problem(409, 'alert-ended', 'The alert is over');
    throw error;
  }
}
