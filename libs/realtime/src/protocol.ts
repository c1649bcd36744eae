import * as z from 'zod';

/** The subprotocol that the server chooses; browsers offer it beside `bearer.<token>`. */
export const SUBPROTOCOL = 'eyrie';

/** Why a WebSocket is closed: RFC 6455, 7.4.1, and the registry of IANA. */
export const closeCodes = {
  unsupportedData: 1003,
  invalidPayload: 1007,
  policyViolation: 1008,
  serviceRestart: 1012,
  tryAgainLater: 1013,
} as const;

/** What the server says beside events. Each `id` may be resumed from. */
export type ControlMessage =
  /** Events after this id follow. */
  | { type: 'hello'; id: string; heartbeatMs: number }
  /** The same, but earlier ones were missed for good: load everything anew. */
  | { type: 'reset'; id: string; heartbeatMs: number }
  /** All up to this id were sent, or were not asked for. */
  | { type: 'heartbeat'; id: string; at: string }
  /** You are too far behind, and are closed with 1013. */
  | { type: 'slow'; id: string }
  /** The server restarts, and closes you with 1012; connect again after this time. */
  | { type: 'restart'; id: string; retryInMs: number }
  /** What you sent was wrong, and you are closed. */
  | { type: 'error'; detail: string };

export function frameOf(message: object): Buffer {
  return Buffer.from(JSON.stringify(message));
}

const subscribe = z.strictObject({
  type: z.literal('subscribe'),
  after: z
    .string()
    .regex(/^\d{1,15}$/, 'an id of an event')
    .transform(Number)
    .optional(),
  types: z.array(z.string().max(64)).max(64).optional(),
  matchers: z.array(z.string().max(1_024)).max(32).optional(),
});

/** What a client asks for. */
export type Subscription = Omit<z.output<typeof subscribe>, 'type'>;

/** What a client has sent and should not have. */
export class ProtocolFault extends Error {
  constructor(
    readonly closeCode: number,
    message: string,
  ) {
    super(message);
  }
}

/** @throws ProtocolFault */
export function parseSubscription(data: Buffer, isBinary: boolean): Subscription {
  if (isBinary) throw new ProtocolFault(closeCodes.unsupportedData, 'text is wanted, not binary data');
  let value: unknown;
  try {
    value = JSON.parse(data.toString());
  } catch {
    throw new ProtocolFault(closeCodes.invalidPayload, 'this is not JSON');
  }
  const { data: subscription, error } = subscribe.safeParse(value);
  if (subscription) return subscription;
  const [issue] = error.issues;
  const place = issue && issue.path.length > 0 ? `${issue.path.join('.')}: ` : '';
  throw new ProtocolFault(closeCodes.policyViolation, `${place}${issue?.message ?? 'not a message'}`);
}
