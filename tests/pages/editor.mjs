// Types into the editor of a file in a headless Chromium, by keys alone, and commits. Prints what is wrong, a line
// each, and ends with 1 if there is anything.
//
// Usage: node editor.mjs URL STATE.json
// STATE.json: { "cookies": […], "page": "/…/-/edit/main/src/main.rs", "shown": "/…/-/blob/main/src/main.rs" }

import { readFileSync } from 'node:fs';
import { chromium } from 'playwright-core';

const [url, stateFile] = process.argv.slice(2);
const state = JSON.parse(readFileSync(stateFile, 'utf8'));
const problems = [];
const expect = (is, problem) => { if (!is) problems.push(problem); };

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-sync'],
});
const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
await context.addCookies(state.cookies.map((cookie) => ({ ...cookie, url })));
const page = await context.newPage();
page.on('console', (message) => {
  if (['error', 'warning'].includes(message.type())) problems.push(`console: ${message.text()}`);
});
page.on('pageerror', (error) => problems.push(`script: ${error}`));
page.on('request', (request) => expect(request.url().startsWith(url), `a request to ${request.url()}`));
await page.goto(url + state.page, { waitUntil: 'load' });

const area = page.getByRole('textbox', { name: 'Contents' });
expect(await area.count() === 1, 'one text has its label');
expect(await page.locator('.editor .token.keyword').count() > 0, 'the language of the file is known');
expect(await page.locator('.editor .pce-line').count() > 1, 'lines have numbers');
const focused = () => page.evaluate(() => document.activeElement.id || document.activeElement.tagName);

// A tab indents as the file does, and Escape leads out.
await area.focus();
await page.keyboard.press('Control+Home');
await page.keyboard.press('Tab');
expect((await area.inputValue()).startsWith('    fn main'), `a tab indents: ${await area.inputValue()}`);
await page.keyboard.press('Shift+Tab');
expect((await area.inputValue()).startsWith('fn main'), 'Shift and Tab take it back');
await page.keyboard.press('Escape');
await page.keyboard.press('Tab');
expect(await focused() === 'title', `Escape and Tab lead on, to ${await focused()}`);
await page.keyboard.press('Shift+Tab');
expect(await focused() === 'text', `and back, to ${await focused()}`);

// What is typed is committed, and the same key undoes it as in any text.
await page.keyboard.press('Control+End');
await page.keyboard.type('// wrong');
for (let key = 0; key < 30 && (await area.inputValue()).includes('wrong'); key++) await page.keyboard.press('Control+z');
expect(!(await area.inputValue()).includes('wrong'), 'what was typed is undone');
await page.keyboard.press('Control+End');
await page.keyboard.type('// typed <b>');
const typed = await area.inputValue();
await page.keyboard.press('Escape');
await Promise.all([page.waitForURL(`**${state.shown}`), page.getByRole('button', { name: 'Commit', exact: true }).press('Enter')]);
expect((await page.locator('table.blob').innerText()).includes('// typed <b>'), `the file has what was typed: ${typed}`);
await browser.close();
for (const problem of new Set(problems)) console.log(problem);
process.exit(problems.length ? 1 : 0);
