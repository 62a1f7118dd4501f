import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';

export interface PanelQuery {
  readonly panel: string;
  readonly expr: string;
}

export function queriesIn({ panels = [] }: Dashboard): PanelQuery[] {
  return panels.flatMap((panel) => {
    if (!('targets' in panel) || !panel.targets) return [];
    const { title = '' } = panel;
    return panel.targets.map((target) => ({
      panel: title,
      expr: 'expr' in target ? String(target.expr) : '',
    }));
  });
}

export function resolved(expr: string, rateInterval: string): string {
  return expr.replaceAll('$__rate_interval', rateInterval).replaceAll('$instance', '.*');
}
