// Looks at more lines around a change in a headless Chromium. Prints what is wrong, a line each, and ends with 1 if
// there is anything.
//
// Usage: node changes.mjs URL STATE.json
// STATE.json: { "pages": ["/…/-/commit/…", …], "file": "file-2", "line": "d2-R100", "coloured": "/…/-/commit/…" }

import { readFileSync } from 'node:fs';
import { chromium } from 'playwright-core';

const [url, stateFile] = process.argv.slice(2);
const { pages, file, line, coloured } = JSON.parse(readFileSync(stateFile, 'utf8'));
const problems = [];
const expect = (is, problem) => { if (!is) problems.push(problem); };

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-sync'],
});
for (const path of pages) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) problems.push(`${path}: console: ${message.text()}`);
  });
  page.on('pageerror', (error) => problems.push(`${path}: script: ${error}`));
  await page.goto(`${url}${path}#${line}`, { waitUntil: 'load' });
  let loads = 0;
  page.on('framenavigated', () => { loads += 1; });
  const top = () => page.locator(`#${line}`).evaluate((cell) => cell.getBoundingClientRect().top);
  const rows = (where) => page.locator(`${where} tr`).count();
  const link = page.locator(`#${file} tbody:has(#${line}) a.diff-more`);
  const others = await rows(`.diff-file:not(#${file})`);
  let steps = 0;
  for (; await link.count(); steps++) {
    const [before, had] = [await top(), await rows(`#${file}`)];
    await link.evaluate((link) => link.focus({ preventScroll: true }));
    await page.keyboard.press('Enter');
    await page.waitForFunction(([file, had]) => document.querySelectorAll(`#${file} tr`).length > had, [file, had]);
    const moved = await top() - before;
    expect(Math.abs(moved) < 2, `${path}: the line moved by ${moved} px in step ${steps}`);
    const isWithin = await page.evaluate((file) => document.getElementById(file).contains(document.activeElement), file);
    expect(isWithin, `${path}: the focus was lost in step ${steps}`);
  }
  expect(steps === 3, `${path}: ${steps} steps to all lines`);
  expect(await rows(`.diff-file:not(#${file})`) === others, `${path}: other files stay as they are`);
  expect(loads === 0, `${path}: the page was loaded anew`);
  await page.close();
}
// What is no longer the same file is not put in its place.
const page = await browser.newPage();
await page.goto(`${url}${pages[0]}`, { waitUntil: 'load' });
await page.locator(`#${file} h3`).evaluate((name) => { name.textContent = 'other'; });
await Promise.all([page.waitForURL('**context=10*'), page.locator(`#${file} a.diff-more`).first().click()]);
// What takes long to be coloured is coloured later, on both sides, and nothing else changes by it.
{
  const page = await browser.newPage();
  page.on('pageerror', (error) => problems.push(`${coloured}: script: ${error}`));
  const plain = await (await page.request.get(url + coloured)).text();
  expect(plain.includes('data-colours=') && !plain.includes('hl-'), 'it is plain at first');
  await page.goto(url + coloured, { waitUntil: 'load' });
  const marks = page.locator('#file-2 :is(del, ins) .hl-number');
  const missing = async () => problems.push(`it is not coloured: ${await page.locator('.diff-file').last().innerText()}`);
  await marks.nth(1).waitFor({ timeout: 30_000 }).catch(missing);
  expect((await marks.allInnerTexts()).join() === '1,2', 'both sides are coloured, and their words marked');
  const kept = await (await page.request.get(url + coloured)).text();
  expect(!kept.includes('data-colours=') && kept.includes('hl-comment'), 'who asks next has the colours at once');
  const text = (html) => html.slice(html.indexOf('id="changes-title"')).replace(/<[^>]*>/g, '');
  expect(text(kept) === text(plain), 'the text is the same');
  await page.close();
}
await browser.close();
for (const problem of new Set(problems)) console.log(problem);
process.exit(problems.length ? 1 : 0);
