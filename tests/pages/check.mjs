// Opens pages in a headless Chromium as a person would: at desktop and phone width, in the light and
// in the dark. Prints what is wrong, a line each, and ends with 1 if there is anything.
//
// Usage: node check.mjs URL STATE.json [SCREENSHOTS]
// STATE.json: { "cookies": […], "pages": ["/", …] }

import { readFileSync, mkdirSync } from 'node:fs';
import { chromium } from 'playwright-core';

const [url, stateFile, screenshots] = process.argv.slice(2);
const state = JSON.parse(readFileSync(stateFile, 'utf8'));
const axe = readFileSync(new URL('./node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');
const widths = [1280, 390];
const schemes = ['light', 'dark'];
const problems = [];

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync',
  ],
});

for (const colorScheme of schemes) {
  for (const width of widths) {
    const context = await browser.newContext({
      viewport: { width, height: 900 }, colorScheme, bypassCSP: false,
    });
    await context.addCookies(state.cookies.map((cookie) => ({ ...cookie, url })));
    for (const path of state.pages) {
      await check(context, path, `${path} (${width}, ${colorScheme})`, `${width}-${colorScheme}`);
    }
    await context.close();
  }
}
await browser.close();
for (const problem of new Set(problems)) console.log(problem);
process.exit(problems.length ? 1 : 0);

async function check(context, path, name, variant) {
  const page = await context.newPage();
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) problems.push(`${name}: console: ${message.text()}`);
  });
  page.on('pageerror', (error) => problems.push(`${name}: script: ${error}`));
  page.on('requestfailed', (request) => problems.push(`${name}: not loaded: ${request.url()}`));
  const answer = await page.goto(url + path, { waitUntil: 'load' });
  if (answer.status() !== 200) problems.push(`${name}: status ${answer.status()}`);
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (overflow > 0) problems.push(`${name}: ${overflow} px wider than the window`);
  // The page's own policy forbids foreign scripts, rightly; the inspector's world is exempt from it.
  const session = await context.newCDPSession(page);
  await session.send('Page.setBypassCSP', { enabled: true });
  const { result } = await session.send('Runtime.evaluate', {
    expression: `${axe}; axe.run(document, { resultTypes: ['violations'] })
      .then(({ violations }) => JSON.stringify(violations.map((v) =>
        v.id + ': ' + v.help + ' ' + v.nodes.slice(0, 3).map((n) => n.html.slice(0, 200)).join(' | '))))`,
    awaitPromise: true,
  });
  for (const violation of JSON.parse(result.value ?? '["axe did not run"]')) {
    problems.push(`${name}: ${violation}`);
  }
  if (screenshots) {
    mkdirSync(screenshots, { recursive: true });
    const file = `${screenshots}/${path.replace(/[^a-z0-9]+/gi, '_') || 'home'}-${variant}.png`;
    await page.screenshot({ path: file, fullPage: true });
  }
  await page.close();
}
