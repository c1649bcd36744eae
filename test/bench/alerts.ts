/**
 * Requests as Prometheus sends them, built once and patched in place: what changes between two sends (serial number,
 * start, end) has a fixed width, so a send costs the client a few copies of 24 bytes and one write.
 */
const SERVICES = ['checkout', 'payments', 'search', 'catalogue', 'sessions', 'mailer', 'ledger', 'gateway'];
const RULES = ['HighErrorRate', 'HighLatency', 'PodRestarting', 'DiskFilling', 'QueueGrowing', 'CertificateExpiring'];
const CLUSTERS = ['eu-west-1', 'eu-north-1', 'us-east-1', 'us-west-2', 'ap-south-1'];
const SEVERITIES = ['critical', 'high', 'medium', 'low'];

const SERIAL_WIDTH = 12;
const SERIAL_MARK = '#'.repeat(SERIAL_WIDTH);
const START_MARK = '<<<<<<<<startsAt>>>>>>>>';
const END_MARK = '<<<<<<<<<endsAt>>>>>>>>>';

export interface Target {
  host: string;
  port: number;
  path: string;
  authorization?: string;
}

/** One HTTP request, whole, and the places in it that are patched before it is sent. */
export interface PreparedRequest {
  bytes: Buffer;
  alerts: number;
  serials: readonly number[];
  starts: readonly number[];
  ends: readonly number[];
}

/** About ten labels, three annotations and a generator URL; groups of alertname and cluster, 30 in all. */
function alertText(index: number, extraLabels: Readonly<Record<string, string>>): string {
  const service = pick(SERVICES, index);
  const rule = pick(RULES, index);
  return JSON.stringify({
    annotations: {
      summary: `${rule} on ${service}`,
      description: `${service} has been above its limit for more than five minutes; the error budget of the month is at risk.`,
      runbook_url: `https://runbooks.example.com/${service}/${rule}`,
    },
    endsAt: END_MARK,
    startsAt: START_MARK,
    generatorURL: `http://prometheus.example.com:9090/graph?g0.expr=rate%28errors_total%5B5m%5D%29+%3E+0.1&g0.tab=1#${index}`,
    labels: {
      alertname: rule,
      cluster: pick(CLUSTERS, index),
      container: service,
      instance: `10.${index % 250}.${index % 199}.${index % 241}:9100`,
      job: `${service}-metrics`,
      namespace: `team-${index % 12}`,
      node: `node-${index % 64}.internal`,
      pod: `${service}-7d9f8c6b5-${SERIAL_MARK}`,
      prometheus: 'monitoring/main',
      severity: pick(SEVERITIES, index),
      ...extraLabels,
    },
  });
}

/** A POST of `count` alerts, the first of them number `first`. Starts are `startsAt` until patched. */
export function prepareRequest(
  target: Target,
  { first, count, startsAt, extraLabels = {} }: PrepareOptions,
): PreparedRequest {
  const alerts = Array.from({ length: count }, (_, offset) => alertText(first + offset, extraLabels));
  const body = `[${alerts.join(',')}]`;
  const head = [
    `POST ${target.path} HTTP/1.1`,
    `Host: ${target.host}:${target.port}`,
    'User-Agent: Prometheus/3.5.3',
    'Content-Type: application/json',
    ...(target.authorization ? [`Authorization: ${target.authorization}`] : []),
    `Content-Length: ${Buffer.byteLength(body)}`,
  ].join('\r\n');
  const text = `${head}\r\n\r\n${body}`;
  const request = {
    bytes: Buffer.from(text, 'latin1'),
    alerts: count,
    serials: positions(text, SERIAL_MARK),
    starts: positions(text, START_MARK),
    ends: positions(text, END_MARK),
  };
  request.serials.forEach((at, offset) => writeSerial(request.bytes, at, first + offset));
  patchStarts(request, startsAt);
  patchEnds(request, startsAt);
  return request;
}

export interface PrepareOptions {
  first: number;
  count: number;
  startsAt: Date;
  extraLabels?: Readonly<Record<string, string>>;
}

export function patchStarts(request: PreparedRequest, at: Date): void {
  patch(request.bytes, request.starts, at);
}

/** Prometheus ends a firing alert four intervals ahead and moves the end with every re-send. */
export function patchEnds(request: PreparedRequest, from: Date): void {
  patch(request.bytes, request.ends, new Date(from.getTime() + 4 * 60_000));
}

/** Gives each alert a serial number never used before: new labels, so a new alert. */
export function patchSerials(request: PreparedRequest, next: () => number): void {
  for (const at of request.serials) writeSerial(request.bytes, at, next());
}

function patch(bytes: Buffer, places: readonly number[], time: Date): void {
  const text = time.toISOString();
  for (const at of places) bytes.write(text, at, 'latin1');
}

function writeSerial(bytes: Buffer, at: number, serial: number): void {
  bytes.write(serial.toString().padStart(SERIAL_WIDTH, '0'), at, 'latin1');
}

function positions(text: string, mark: string): number[] {
  const found: number[] = [];
  for (let at = text.indexOf(mark); at >= 0; at = text.indexOf(mark, at + mark.length)) found.push(at);
  return found;
}

function pick(from: readonly string[], index: number): string {
  return from[index % from.length] as string;
}
