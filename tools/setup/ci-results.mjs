// Reads Jest's JSON results for .ci/run.
//   ci-results.mjs failed FIRST        prints the paths of the failed suites
//   ci-results.mjs report FIRST AGAIN  prints failed tests and the counts; exits 1 if a test failed
// AGAIN has the second run of the suites that failed in FIRST, and replaces their results. It may be missing.
import { existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';

const [, , command, ...files] = process.argv;
const messageChars = 1_500;

function suitesOf(file) {
  if (!existsSync(file)) return null;
  const { testResults } = JSON.parse(readFileSync(file, 'utf8'));
  return new Map(testResults.map((suite) => [relative('.', suite.name), suite]));
}

const testsOf = (suite, status) => suite.assertionResults.filter((test) => test.status === status);

function failuresOf(suite) {
  if (suite.status !== 'failed') return [];
  const tests = testsOf(suite, 'failed').map(({ fullName, failureMessages }) => ({
    name: fullName,
    why: failureMessages.join('\n'),
  }));
  return tests.length > 0 ? tests : [{ name: 'the suite did not run', why: suite.message }];
}

function report() {
  const [first, again] = files.map(suitesOf);
  if (first === null) {
    console.log('ci: the tests left no results\n0 passed, 1 failed, 0 skipped');
    return 1;
  }
  let [passed, failed, skipped] = [0, 0, 0];
  for (const [path, firstSuite] of first) {
    const suite = again?.get(path) ?? firstSuite;
    const failures = failuresOf(suite);
    passed += testsOf(suite, 'passed').length;
    skipped += testsOf(suite, 'pending').length + testsOf(suite, 'todo').length;
    failed += failures.length;
    for (const { name, why } of failures) {
      console.log(`ci: failed: ${path}: ${name}\n${why.slice(0, messageChars)}`);
    }
    if (suite === firstSuite) continue;
    for (const { name, why } of failures.length === 0 ? failuresOf(firstSuite) : []) {
      console.log(
        `ci: failed with other suites, passed alone: ${path}: ${name}\n${why.slice(0, messageChars)}`,
      );
    }
  }
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  return failed === 0 ? 0 : 1;
}

if (command === 'failed') {
  for (const [path, suite] of suitesOf(files[0]) ?? []) {
    if (suite.status === 'failed') console.log(path);
  }
} else if (command === 'report') {
  process.exitCode = report();
} else {
  console.error('usage: ci-results.mjs failed FIRST | report FIRST AGAIN');
  process.exitCode = 2;
}
