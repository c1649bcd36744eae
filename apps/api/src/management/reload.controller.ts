import { Controller, HttpCode, Post } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { AlertsConfigError, ConfigReloads } from 'eyrie/alerts';
import { RequireScope } from 'eyrie/auth';
import { Problem } from 'eyrie/server';
import { ApiKeyNeeded, ApiProblem } from '../api-docs.js';

@ApiTags('management')
@ApiKeyNeeded()
@Controller('-')
export class ReloadController {
  constructor(private readonly reloads: ConfigReloads) {}

  @Post('reload')
  @HttpCode(200)
  @RequireScope('manage')
  @ApiOperation({
    summary: 'Read ALERTS_CONFIG again, here and in every other process. A file with a fault changes nothing',
  })
  @ApiResponse({ status: 200, description: 'In force here; the other processes have been told.' })
  @ApiProblem(400, 'The file has faults, each with its line. The old one stays in force.')
  async reload(): Promise<void> {
    try {
      await this.reloads.reloadEverywhere();
    } catch (error) {
      if (!(error instanceof AlertsConfigError)) throw error;
      throw new Problem(400, 'invalid-configuration', 'The configuration has faults; the old one stays in force', {
        errors: error.faults.map(({ line, column, path, message }) => ({
          pointer: path,
          detail: `line ${line}, column ${column}: ${message}`,
        })),
      });
    }
  }
}
