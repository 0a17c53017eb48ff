// How smoothly a hundred thousand log lines scroll: npm run scroll -w bench. Needs a built workspace and a Chromium.
// The page shows made-up data, loads all of it by being scrolled to the end, and is then scrolled through by a few rows a frame.
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { startMockServer } from '../../packages/ui/mock/server.ts';
import { report } from '../product/report.ts';
import { percentile } from '../product/sender.ts';

const pageFolder = join(import.meta.dirname, '../../packages/server/page');
const mock = await startMockServer({ pageFolder });
const browser = await chromium.launch({
  executablePath: process.env.SIGNALBOX_CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu'],
});
try {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Performance.enable');
  /** Seconds that the page has spent in JavaScript, in layout and style, and in all its tasks. */
  const work = async () => {
    const { metrics } = await devtools.send('Performance.getMetrics');
    const of = (name: string) => metrics.find((metric) => metric.name === name)?.value ?? 0;
    return {
      script: of('ScriptDuration'),
      layout: of('LayoutDuration') + of('RecalcStyleDuration'),
      task: of('TaskDuration'),
    };
  };
  await page.goto(`${mock.url}/logs?from=now-6h&to=now&refresh=off`);
  await page.getByTestId('log-row').first().waitFor();
  const before = await work();
  const loadedFrom = performance.now();
  const lines = await page.evaluate(async () => {
    const scroller = document.querySelector('[data-testid="log-scroller"]');
    if (!scroller) throw new Error('There is no list to scroll.');
    let idleFrames = 0;
    for (let height = 0; idleFrames < 120; ) {
      scroller.scrollTop = scroller.scrollHeight;
      await new Promise((resolve) => requestAnimationFrame(resolve));
      idleFrames = scroller.scrollHeight === height ? idleFrames + 1 : 0;
      height = scroller.scrollHeight;
    }
    return Math.round(scroller.scrollHeight / 27);
  });
  const loaded = await work();
  console.log(
    `${lines} lines loaded in ${((performance.now() - loadedFrom) / 1000).toFixed(1)} s: ${(loaded.script - before.script).toFixed(1)} s of JavaScript, ${(loaded.layout - before.layout).toFixed(1)} s of layout`,
  );
  const gaps = await page.evaluate(async () => {
    const scroller = document.querySelector('[data-testid="log-scroller"]');
    if (!scroller) throw new Error('There is no list to scroll.');
    scroller.scrollTop = 0;
    const gaps: number[] = [];
    let last = performance.now();
    for (const started = last; last - started < 20_000; ) {
      scroller.scrollTop += 240;
      await new Promise((resolve) => requestAnimationFrame(resolve));
      const now = performance.now();
      gaps.push(now - last);
      last = now;
    }
    return gaps.sort((a, b) => a - b);
  });
  const scrolled = await work();
  const perFrame = (part: keyof typeof loaded) => ((scrolled[part] - loaded[part]) * 1000) / gaps.length;
  report('scroll-logs', [
    {
      what: `${lines} log lines, nine rows a frame`,
      frames: gaps.length,
      'p50, ms': percentile(gaps, 0.5),
      'p95, ms': percentile(gaps, 0.95),
      'p99, ms': percentile(gaps, 0.99),
      'JavaScript a frame, ms': perFrame('script'),
      'layout a frame, ms': perFrame('layout'),
      'all work a frame, ms': perFrame('task'),
    },
  ]);
} finally {
  await browser.close();
  mock.server.closeAllConnections();
  mock.server.close();
}
