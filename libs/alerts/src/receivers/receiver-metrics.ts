import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { circuitState, consecutiveFailures } from '../alerts.metrics.js';
import { integrationLabels } from '../deliver/integration-labels.js';
import { circuitStates, type IntegrationView, ReceiversReader } from './receivers-reader.js';

/** Shows on `/metrics` how the receivers fare. */
@Injectable()
export class ReceiverMetrics implements OnApplicationShutdown {
  private readonly forget: (() => void)[];

  constructor(private readonly reader: ReceiversReader) {
    this.forget = [
      circuitState.collectFrom(() => this.worst(({ circuit }) => circuitStates.indexOf(circuit))),
      consecutiveFailures.collectFrom(() => this.worst((view) => view.consecutiveFailures)),
    ];
  }

  onApplicationShutdown(): void {
    for (const end of this.forget) end();
  }

  /** Several integrations of one type have the same labels. */
  private async worst(valueOf: (view: IntegrationView) => number) {
    const views = (await this.reader.list()).flatMap(({ integrations }) => integrations);
    const byType = Map.groupBy(views, ({ integration }) => JSON.stringify(integrationLabels(integration)));
    return [...byType.values()].map((same) => ({
      labels: integrationLabels(same[0]!.integration),
      value: Math.max(...same.map(valueOf)),
    }));
  }
}
