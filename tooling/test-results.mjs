// A vitest reporter that writes what the test command needs to say at its end: SIGNALBOX_TEST_RESULTS names the file.
// Shape: { passed: number, skipped: { suite, name }[], failed: { file, name, message }[], unhandled: string[] }; a file that could not be
// collected counts as one failed test of that file.
import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';

export default class TestResults {
  onTestRunEnd(modules, unhandledErrors) {
    const results = { passed: 0, skipped: [], failed: [], unhandled: unhandledErrors.map(describeError) };
    for (const module of modules) {
      const file = relative(process.cwd(), module.moduleId);
      const broken = [module, ...module.children.allSuites()].flatMap((suite) => suite.errors());
      if (broken.length > 0) results.failed.push({ file, name: '(the file itself)', message: describe(broken) });
      for (const test of module.children.allTests()) {
        const { state, errors } = test.result();
        if (state === 'passed') results.passed += 1;
        else if (state === 'failed') results.failed.push({ file, name: test.fullName, message: describe(errors) });
        else results.skipped.push({ suite: test.parent.fullName ?? file, name: test.name });
      }
    }
    writeFileSync(process.env.SIGNALBOX_TEST_RESULTS, JSON.stringify(results));
  }
}

function describe(errors) {
  return errors.map(describeError).join('\n');
}

function describeError(error) {
  const text = error.stack?.includes(error.message) ? error.stack : `${error.message}\n${error.stack ?? ''}`;
  return `${text}${error.diff === undefined ? '' : `\n${error.diff}`}`;
}
