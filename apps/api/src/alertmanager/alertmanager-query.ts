import { Query, type PipeTransform } from '@nestjs/common';
import { Matcher } from 'eyrie/alerts';
import { Problem } from 'eyrie/server';
import * as z from 'zod';
import { matcherFilter } from '../alerts/alerts.schemas.js';

/** What go-openapi, in front of Alertmanager, takes for true. Everything else that is not empty is false. */
const TRUE = new Set(['true', '1', 'yes', 'ok', 'y', 'on', 'selected', 'checked', 't', 'enabled']);

/** True unless it is said to be false; of several the last one counts. */
const flag = z
  .union([z.string(), z.array(z.string())])
  .optional()
  .transform((value) => {
    const text = [value ?? ''].flat().at(-1) ?? '';
    return text === '' || TRUE.has(text.toLowerCase());
  });

/** Matchers, as of {@link matcherFilter}, but for texts without any, which Alertmanager refuses here. */
function matchersOf(value: string | string[] | undefined, context: z.RefinementCtx, prefix = ''): Matcher[] {
  const refuse = (message: string) => context.addIssue({ code: 'custom', message: `${prefix}${message}` });
  return [value ?? []].flat().flatMap((text) => {
    const result = matcherFilter.safeParse(text);
    for (const { message } of result.error?.issues ?? []) refuse(message);
    if (result.data?.length === 0) refuse(`bad matcher format: ${text}`);
    return result.data ?? [];
  });
}

const texts = z.union([z.string(), z.array(z.string())]).optional();
const filter = texts.transform((value, context) => matchersOf(value, context));
const receiverMatchers = texts.transform((value, context) =>
  matchersOf(value, context, 'failed to parse receiver_matchers param: '),
);

/** A regular expression over the whole name. */
const receiverPattern = z
  .string()
  .optional()
  .transform((pattern, context): Matcher | undefined => {
    try {
      return pattern === undefined ? undefined : new Matcher('receiver', '=~', pattern);
    } catch (error) {
      const reason = (error as Error).message.replace(`\`${pattern}\``, () => `\`^(?:${pattern})$\``);
      context.addIssue({ code: 'custom', message: `failed to parse receiver param: ${reason}` });
      return undefined;
    }
  });

const statusFilter = z.object({ active: flag, silenced: flag, inhibited: flag });

export const receiversQuery = z.object({ receiver_matchers: receiverMatchers });
export const silencesQuery = z.object({ filter });
export const alertsQuery = z.object({
  filter,
  receiver: receiverPattern,
  ...receiversQuery.shape,
  ...statusFilter.shape,
});
export const groupsQuery = alertsQuery.extend({ muted: flag });

export type AlertsQuery = z.output<typeof alertsQuery>;

/** Whether a receiver is among those that are asked for; its one label is its name. */
export function receiverFilter({
  receiver,
  receiver_matchers: matchers,
}: Pick<AlertsQuery, 'receiver_matchers'> & Partial<AlertsQuery>) {
  return (name: string) =>
    (!receiver || receiver.matches({ receiver: name })) && matchers.every((matcher) => matcher.matches({ name }));
}

/** The query as the schema reads it; faults in Alertmanager's words. What it does not know it ignores, as there. */
export function AlertmanagerQuery(schema: z.ZodType): ParameterDecorator {
  return Query(new AlertmanagerPipe(schema));
}

class AlertmanagerPipe<T extends z.ZodType> implements PipeTransform<unknown, z.output<T>> {
  constructor(private readonly schema: T) {}

  transform(value: unknown): z.output<T> {
    const result = this.schema.safeParse(value);
    if (result.success) return result.data;
    throw new Problem(400, 'invalid-request', result.error.issues.map(({ message }) => message).join('; '));
  }
}
