import { Injectable } from '@nestjs/common';
import { AlertsConfigStore } from '../alerts-config.store.js';
import { Clock } from '../clock.js';
import { isMuted, type AlertsConfig, type Labels, type Matcher, type Route } from '../config/index.js';
import { compareBytes } from '../config/labels.js';
import { type GroupRef } from '../ingest/routing.js';
import { compareAlerts, compareLabels } from '../notify/alert-order.js';
import { type ActiveAlert, AlertsReader } from './alerts-reader.js';

/** What a receiver is told of together. */
export interface AlertGroup {
  labels: Labels;
  receiver: string;
  /** Names of the time intervals that keep its route from telling of it now. */
  mutedBy: string[];
  alerts: ActiveAlert[];
}

export interface AlertGroupsFilter {
  matchers?: readonly Matcher[];
  receiver?: (name: string) => boolean;
  alert?: (alert: ActiveAlert) => boolean;
}

/** Shows firing alerts as they are grouped under the configuration in force. */
@Injectable()
export class AlertGroupsReader {
  constructor(
    private readonly alerts: AlertsReader,
    private readonly configs: AlertsConfigStore,
    private readonly clock: Clock,
  ) {}

  /**
   * The groups of the receivers that are asked for, with those of their alerts that are asked for; the receivers of an
   * alert are those in whose groups it is shown. Groups, and alerts in a group, in Alertmanager's order.
   */
  async groups({ matchers = [], receiver = () => true, alert = () => true }: AlertGroupsFilter): Promise<AlertGroup[]> {
    const { config, routing } = this.configs;
    const shown = (await this.alerts.active(matchers)).filter(alert);
    const found = new Map<string, GroupRef & { alerts: ActiveAlert[] }>();
    for (const each of shown) {
      const groups = routing.groupsOf(each.labels).filter(({ route }) => receiver(route.receiver));
      const receivers = [...new Set(groups.map(({ route }) => route.receiver))].sort(compareBytes);
      for (const group of groups) {
        const known = found.get(group.id) ?? { ...group, alerts: [] };
        found.set(group.id, known);
        known.alerts.push({ ...each, receivers });
      }
    }
    const at = new Date(this.clock.now());
    return [...found.values()]
      .map(({ labels, route, alerts }) => ({
        labels,
        receiver: route.receiver,
        mutedBy: mutedBy(route, config, at),
        alerts: alerts.sort((one, other) => compareAlerts(one.labels, other.labels)),
      }))
      .sort((one, other) => compareLabels(one.labels, other.labels) || compareBytes(one.receiver, other.receiver));
  }
}

function mutedBy(route: Route, { timeIntervals }: AlertsConfig, at: Date): string[] {
  const { activeTimeIntervals, muteTimeIntervals } = route;
  if (activeTimeIntervals.length > 0 && !isMuted(activeTimeIntervals, timeIntervals, at))
    return [...activeTimeIntervals];
  return muteTimeIntervals.filter((name) => isMuted([name], timeIntervals, at));
}
