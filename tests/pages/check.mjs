// Opens pages in a headless Chromium as people would: at desktop and phone width, in the light and in the
// dark; and the first of them in German, with more contrast, with the system's colours, from right to left
// and for a printer. Prints what is wrong, a line each, and ends with 1 if there is anything.
//
// Usage: node check.mjs URL STATE.json [SCREENSHOTS]
// STATE.json: { "cookies": […], "pages": ["/", …] }

import { readFileSync, mkdirSync } from 'node:fs';
import { chromium } from 'playwright-core';

const [url, stateFile, screenshots] = process.argv.slice(2);
const state = JSON.parse(readFileSync(stateFile, 'utf8'));
const axe = readFileSync(new URL('./node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');
const looks = [
  ...['light', 'dark'].flatMap((colorScheme) => [1280, 390].map((width) => (
    { name: `${width}-${colorScheme}`, width, options: { colorScheme }, pages: state.pages }))),
  { name: 'german', width: 390, options: { locale: 'de-DE' } },
  { name: 'contrast-light', width: 1280, options: { colorScheme: 'light', contrast: 'more' }, rules: ['color-contrast-enhanced'] },
  { name: 'contrast-dark', width: 1280, options: { colorScheme: 'dark', contrast: 'more' }, rules: ['color-contrast-enhanced'] },
  { name: 'forced-colors', width: 1280, options: { forcedColors: 'active' } },
  { name: 'right-to-left', width: 390, options: {}, direction: 'rtl' },
  { name: 'print', width: 800, options: {}, media: 'print' },
].map((look) => ({ pages: state.pages.slice(0, 11), rules: [], ...look }));
const problems = [];

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync',
  ],
});

for (const look of looks) {
  const context = await browser.newContext({
    viewport: { width: look.width, height: 900 }, bypassCSP: false, ...look.options,
  });
  await context.addCookies(state.cookies.map((cookie) => ({ ...cookie, url })));
  for (const path of look.pages) await check(context, path, `${path} (${look.name})`, look);
  await context.close();
}
await browser.close();
for (const problem of new Set(problems)) console.log(problem);
process.exit(problems.length ? 1 : 0);

async function check(context, path, name, look) {
  const page = await context.newPage();
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) problems.push(`${name}: console: ${message.text()}`);
  });
  page.on('pageerror', (error) => problems.push(`${name}: script: ${error}`));
  page.on('requestfailed', (request) => problems.push(`${name}: not loaded: ${request.url()}`));
  const answer = await page.goto(url + path, { waitUntil: 'load' });
  if (answer.status() !== 200) problems.push(`${name}: status ${answer.status()}`);
  if (look.media) await page.emulateMedia({ media: look.media });
  if (look.direction) await page.evaluate((direction) => { document.documentElement.dir = direction; }, look.direction);
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (overflow > 0) problems.push(`${name}: ${overflow} px wider than the window`);
  // The page's own policy forbids foreign scripts, rightly; the inspector's world is exempt from it.
  const session = await context.newCDPSession(page);
  await session.send('Page.setBypassCSP', { enabled: true });
  const { result } = await session.send('Runtime.evaluate', {
    expression: `${axe}; axe.run(document, {
        resultTypes: ['violations'],
        rules: Object.fromEntries(${JSON.stringify(look.rules)}.map((rule) => [rule, { enabled: true }])),
      })
      .then(({ violations }) => JSON.stringify(violations.map((v) =>
        v.id + ': ' + v.help + ' ' + v.nodes.slice(0, 3).map((n) => n.html.slice(0, 200)).join(' | '))))`,
    awaitPromise: true,
  });
  for (const violation of JSON.parse(result.value ?? '["axe did not run"]')) {
    problems.push(`${name}: ${violation}`);
  }
  if (screenshots) {
    mkdirSync(screenshots, { recursive: true });
    const file = `${screenshots}/${path.replace(/[^a-z0-9]+/gi, '_') || 'home'}-${look.name}.png`;
    await page.screenshot({ path: file, fullPage: true });
  }
  await page.close();
}
