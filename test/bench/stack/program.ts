import { Module } from '@nestjs/common';
import { defineProgram, standardModules, standardSettings } from 'eyrie/app';
import { defineSettings, port, setting } from 'eyrie/config';
import { Database, DatabaseModule, databaseSettings } from 'eyrie/database';
import { createServer } from 'eyrie/server';
import { DATABASE, RowsController } from './rows.ts';

const own = defineSettings({ port: setting('PORT', port().default(3000), { description: 'Port.' }) });

class Root {}
Module({})(Root);

export default defineProgram({
  slices: { ...standardSettings, database: databaseSettings, own },
  port: (settings) => settings.own.port,
  create: (context) =>
    createServer(
      {
        module: Root,
        imports: [
          ...standardModules(context),
          DatabaseModule.forRoot({ ...context.settings.database, url: context.settings.database.url! }),
        ],
        controllers: [RowsController],
        providers: [{ provide: DATABASE, useExisting: Database }],
      },
      context.settings.server,
    ),
});
