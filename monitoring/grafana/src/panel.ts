/** The parts of Grafana's dashboard model that are used here (schema version 41), in few words. */

export const PROMETHEUS = { type: 'prometheus', uid: 'prometheus' };

/** An expression, and how its series are called; `{{label}}` is the value of a label. */
export type Query = readonly [expr: string, legend: string];

interface Look {
  title: string;
  /** What it shows and what to make of it. */
  description: string;
  /** As Grafana knows them: s, percentunit, reqps, bytes, short … */
  unit: string;
  queries: readonly Query[];
  /** From these values on it is coloured: orange, red. */
  thresholds?: readonly [warning: number, critical: number];
  min?: number;
  max?: number;
  /** Stacks the series upon each other. */
  stacked?: boolean;
  /** Puts dots with links to traces upon a histogram's line. */
  exemplars?: boolean;
}

export interface Panel {
  type: 'timeseries' | 'stat' | 'row';
  title: string;
  width: number;
  height: number;
  json: Record<string, unknown>;
}

/** A plot over time, half of the width unless told. */
export function plot(look: Look, width = 12): Panel {
  const { min = 0, max, stacked = false, thresholds } = look;
  return panel('timeseries', look, width, 8, {
    fieldConfig: {
      defaults: {
        unit: look.unit,
        min,
        ...(max === undefined ? {} : { max }),
        ...coloured(thresholds),
        custom: {
          lineWidth: 1,
          fillOpacity: stacked ? 30 : 8,
          showPoints: 'never',
          stacking: { mode: stacked ? 'normal' : 'none' },
          thresholdsStyle: { mode: thresholds ? 'line' : 'off' },
        },
      },
      overrides: [],
    },
    options: {
      legend: { displayMode: 'table', placement: 'bottom', calcs: ['mean', 'max', 'lastNotNull'] },
      tooltip: { mode: 'multi', sort: 'desc' },
    },
  });
}

/** One number, a sixth of the width. */
export function stat(look: Look, width = 4): Panel {
  return panel('stat', look, width, 4, {
    fieldConfig: { defaults: { unit: look.unit, ...coloured(look.thresholds) }, overrides: [] },
    options: { reduceOptions: { calcs: ['lastNotNull'] }, colorMode: 'value', graphMode: 'area' },
  });
}

/** A heading over the panels that follow. */
export function row(title: string): Panel {
  return { type: 'row', title, width: 24, height: 1, json: { type: 'row', title, collapsed: false, panels: [] } };
}

function panel(type: 'timeseries' | 'stat', look: Look, width: number, height: number, more: object): Panel {
  const { title, description, queries, exemplars = false } = look;
  const targets = queries.map(([expr, legendFormat], index) => ({
    refId: String.fromCharCode('A'.charCodeAt(0) + index),
    datasource: PROMETHEUS,
    expr,
    legendFormat,
    exemplar: exemplars,
  }));
  return { type, title, width, height, json: { type, title, description, datasource: PROMETHEUS, targets, ...more } };
}

function coloured([warning, critical]: readonly [number?, number?] = []) {
  const steps = [
    { color: 'green', value: null },
    ...(warning === undefined ? [] : [{ color: 'orange', value: warning }]),
    ...(critical === undefined ? [] : [{ color: 'red', value: critical }]),
  ];
  return {
    thresholds: { mode: 'absolute', steps },
    color: { mode: warning === undefined ? 'palette-classic' : 'thresholds' },
  };
}
