import { sinceText } from '../shared/format-time.ts';
import { unmeasured, type Check } from './checks.ts';

const shownMax = 3;

export function Verdict({ checks }: { checks: readonly Check[] }) {
  const wrong = checks.filter(({ state }) => state === 'bad' || state === 'warning');
  const isBad = wrong.some(({ state }) => state === 'bad');
  const tone = wrong.length === 0 ? 'good' : isBad ? 'bad' : 'warning';
  return (
    <div class={`verdict verdict-${tone}`} role="status">
      {wrong.length === 0 ? (
        <strong>All well</strong>
      ) : (
        wrong.slice(0, shownMax).map(({ key, complaint, sinceMs, hubIds }) => (
          <p key={key}>
            <strong>{complaint}</strong>
            {sinceMs !== null && ` since ${sinceText(sinceMs)}`}
            {hubIds.length > 0 && <span class="quiet"> · {hubIds.slice(0, 3).join(', ')}</span>}
          </p>
        ))
      )}
      {wrong.length > shownMax && <p>and {wrong.length - shownMax} more, in the table of alerts</p>}
    </div>
  );
}

const words = { good: 'well', pending: 'pending', warning: 'warning', bad: 'alarm' } as const;

export function Alerts({ checks }: { checks: readonly Check[] }) {
  return (
    <section class="alerts">
      <h2 class="line">Alerts</h2>
      <div class="table-scroll" tabIndex={0} role="region" aria-label="Alerts">
        <table class="figures">
          <thead>
            <tr>
              {['Figure', 'State', 'Now', 'Threshold'].map((name) => (
                <th scope="col" key={name}>
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {checks.map(({ key, name, value, limit, state, sinceMs }) => (
              <tr key={key}>
                <td>{name}</td>
                <td class={`state-${value === unmeasured ? 'none' : state}`}>
                  {value === unmeasured ? 'not in use' : words[state]}
                  {sinceMs !== null && ` since ${sinceText(sinceMs)}`}
                </td>
                <td>{value}</td>
                <td class="threshold">{limit}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
