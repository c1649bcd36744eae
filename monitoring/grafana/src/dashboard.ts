import { PROMETHEUS, type Panel } from './panel.ts';

export interface Dashboard {
  /** Part of its address; links and bookmarks hold on to it. */
  uid: string;
  title: string;
  description: string;
  /** Whether it can be narrowed to some of the apps' processes: its queries then have {@link INSTANCES}. */
  byInstance?: boolean;
  panels: readonly Panel[];
}

/** The selector for what is chosen at the head of a dashboard. */
export const INSTANCES = 'job=~"$job",instance=~"$instance"';

const COLUMNS = 24;

/** The file that Grafana reads. */
export function render({ uid, title, description, byInstance = false, panels }: Dashboard): string {
  const model = {
    uid,
    title,
    description,
    tags: ['eyrie'],
    editable: false,
    graphTooltip: 1, // one crosshair for all
    schemaVersion: 41,
    refresh: '5s',
    time: { from: 'now-1h', to: 'now' },
    timepicker: { refresh_intervals: ['5s', '30s', '1m', '5m'] },
    links: [
      { type: 'dashboards', title: 'Eyrie', tags: ['eyrie'], asDropdown: true, keepTime: true, includeVars: false },
      {
        type: 'link',
        title: 'Runbook',
        url: 'https://github.com/example/eyrie/blob/main/docs/runbook.md',
        icon: 'doc',
      },
    ],
    annotations: { list: [alerts()] },
    templating: {
      list: byInstance ? [variable('job', 'up{job=~"api|worker"}'), variable('instance', 'up{job=~"$job"}')] : [],
    },
    panels: place(panels),
  };
  return `${JSON.stringify(model, null, 2)}\n`;
}

/** What fires on the product itself is drawn into every plot. */
function alerts() {
  return {
    name: 'Alerts',
    datasource: PROMETHEUS,
    enable: true,
    iconColor: 'red',
    expr: 'ALERTS{alertstate="firing",severity="critical"}',
    step: '1m',
    titleFormat: '{{alertname}}',
    textFormat: '{{instance}}',
  };
}

function variable(name: string, series: string) {
  return {
    name,
    type: 'query',
    datasource: PROMETHEUS,
    query: { query: `label_values(${series}, ${name})`, refId: name },
    refresh: 2, // when the time range changes
    sort: 1,
    multi: true,
    includeAll: true,
    allValue: '.+',
    current: { text: 'All', value: '$__all' },
  };
}

/** From left to right, and on to the next line where the width does not suffice. */
function place(panels: readonly Panel[]) {
  let [x, y, line] = [0, 0, 0];
  return panels.map(({ width, height, json }, index) => {
    if (x + width > COLUMNS) [x, y, line] = [0, y + line, 0];
    const gridPos = { x, y, w: width, h: height };
    x += width;
    line = Math.max(line, height);
    return { id: index + 1, ...json, gridPos };
  });
}
