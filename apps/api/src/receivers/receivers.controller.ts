import { Controller, Get, HttpCode, Param, Post, Req } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiResponse, ApiTags } from '@nestjs/swagger';
import { ReceiversReader, ReceiverTests } from 'eyrie/alerts';
import { actorOf, type AuthenticatedRequest, clientOf, RequireScope } from 'eyrie/auth';
import { Problem, schemaOf, textFault } from 'eyrie/server';
import { ApiKeyNeeded, ApiProblem } from '../api-docs.js';
import { receiverList, receiverListExample, testResults, testResultsExample } from './receivers.schemas.js';

/** Whom the configuration tells, and how that goes. */
@ApiTags('receivers')
@ApiKeyNeeded()
@Controller('api/v1/receivers')
export class ReceiversController {
  constructor(
    private readonly reader: ReceiversReader,
    private readonly tests: ReceiverTests,
  ) {}

  @Get()
  @RequireScope('read')
  @ApiOperation({ summary: 'The receivers of the configuration and how each of their integrations fares' })
  @ApiResponse({
    status: 200,
    description: 'All of them, in the order of the configuration.',
    content: { 'application/json': { schema: schemaOf(receiverList, 'output'), example: receiverListExample } },
  })
  async list() {
    return { receivers: await this.reader.list() };
  }

  @Post(':name/test')
  @HttpCode(200)
  @RequireScope('manage')
  @ApiOperation({
    summary: 'Send a test notification to each integration of a receiver',
    description:
      'A worker sends it, over the network path of real notifications, and the answer waits for the outcome: at most for ' +
      'the time limit of an attempt (NOTIFY_TIMEOUT) and two seconds. PagerDuty gets a second event, which resolves the ' +
      'incident. A circuit that is open does not stop the test, and closes when it succeeds.',
  })
  @ApiParam({ name: 'name', description: 'Of the receiver.', schema: { type: 'string' } })
  @ApiResponse({
    status: 200,
    description: 'How it went with each integration.',
    content: { 'application/json': { schema: schemaOf(testResults, 'output'), example: testResultsExample } },
  })
  @ApiProblem(400, 'No receiver can have such a name.')
  @ApiProblem(404, 'There is no such receiver.')
  @ApiProblem(504, 'No worker answered in time, for any of the integrations.')
  async test(@Param('name') name: string, @Req() request: AuthenticatedRequest & { id: unknown }) {
    const fault = textFault(name);
    if (fault) throw new Problem(400, 'invalid-request', `The name ${fault}`);
    const by = { actor: actorOf(request.caller), ...clientOf(request), requestId: String(request.id) };
    const results = await this.tests.send(name, by);
    if (!results) throw new Problem(404, 'receiver-not-found', 'There is no receiver of this name');
    if (results.length > 0 && results.every(({ outcome }) => outcome === 'unanswered')) {
      throw new Problem(504, 'no-worker', 'No worker answered in time; is one running?');
    }
    return { results };
  }
}
