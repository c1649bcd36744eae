/** Nest on Fastify as its documentation starts one, and a pool of connections: `bare.ts PORT DATABASE_URL`. */
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Pool } from 'pg';
import { DATABASE, RowsController } from './rows.ts';

const [port, connectionString] = process.argv.slice(2);
const pool = new Pool({ connectionString, max: 10 });
const query = async ({ name, text }: { name: string; text: string }, values: unknown[]) =>
  (await pool.query({ name, text, values })).rows as unknown[];

class Root {}
Module({ controllers: [RowsController], providers: [{ provide: DATABASE, useValue: { query } }] })(Root);

const app = await NestFactory.create(Root, new FastifyAdapter(), { logger: false });
await app.listen(Number(port), '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
