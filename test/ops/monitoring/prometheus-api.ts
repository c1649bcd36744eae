/** Prometheus' HTTP API, as far as the drill asks it. */
export interface Target {
  health: string;
  lastError: string;
  labels: Record<string, string>;
}

export interface FiringAlert {
  labels: Record<string, string>;
  state: string;
}

export class PrometheusApi {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  async targets(): Promise<Target[]> {
    return (await this.#get<{ activeTargets: Target[] }>('targets')).activeTargets;
  }

  /** What pends or fires, by the alert's name. */
  async alerts(name: string): Promise<FiringAlert[]> {
    const { alerts } = await this.#get<{ alerts: FiringAlert[] }>('alerts');
    return alerts.filter(({ labels }) => labels.alertname === name);
  }

  /** Rules whose last evaluation failed, with the error. */
  async rulesThatFail(): Promise<string[]> {
    const { groups } = await this.#get<{ groups: { rules: { name: string; health: string; lastError?: string }[] }[] }>(
      'rules',
    );
    return groups.flatMap(({ rules }) =>
      rules.filter(({ health }) => health === 'err').map(({ name, lastError }) => `${name}: ${lastError}`),
    );
  }

  /** How many series an expression yields now. @throws with Prometheus' own words where it is not valid */
  async series(expr: string): Promise<number> {
    const { result, resultType } = await this.#get<{ resultType: string; result: unknown[] }>('query', { query: expr });
    return resultType === 'scalar' ? 1 : result.length;
  }

  async value(expr: string): Promise<number> {
    const { result } = await this.#get<{ result: { value: [number, string] }[] }>('query', { query: expr });
    return Number(result[0]?.value[1]);
  }

  /** The label sets of all series that match. */
  seriesOf(match: string): Promise<Record<string, string>[]> {
    return this.#get('series', { 'match[]': match });
  }

  /** Where alerts are sent to. */
  async receivers(): Promise<string[]> {
    return (await this.#get<{ activeAlertmanagers: { url: string }[] }>('alertmanagers')).activeAlertmanagers.map(
      ({ url }) => url,
    );
  }

  /** The lifecycle API reads the configuration again. */
  async reload(): Promise<number> {
    return (await fetch(`${this.#url}/-/reload`, { method: 'POST', signal: AbortSignal.timeout(10_000) })).status;
  }

  async #get<T>(path: string, parameters: Record<string, string> = {}): Promise<T> {
    const response = await fetch(`${this.#url}/api/v1/${path}?${new URLSearchParams(parameters).toString()}`, {
      signal: AbortSignal.timeout(10_000),
    });
    const answer = (await response.json()) as { status: string; data: T; error?: string };
    if (answer.status !== 'success') throw new Error(answer.error);
    return answer.data;
  }
}
