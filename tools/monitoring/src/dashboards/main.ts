// `npm run dashboards` writes infra/monitoring/dashboards; with --check it only compares, and exits with 1 on a difference.
import { driftedDashboards, writeDashboards } from './dashboards.ts';

if (process.argv.includes('--check')) {
  const drifted = await driftedDashboards();
  if (drifted.length > 0) {
    console.error(`dashboards: ${drifted.join(', ')}: run "npm run dashboards"`);
    process.exitCode = 1;
  }
} else {
  await writeDashboards();
}
