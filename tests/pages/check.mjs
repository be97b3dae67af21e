// Opens pages in a headless Chromium as people would, several tabs at a time, each page once with an empty cache.
// A loaded page is then looked at in three widths, in the light and in the dark: nothing on the console, no wider
// than the window, no violation that axe finds. It is gone through by the Tab key alone, and weighed. The main pages
// are looked at with more contrast, with the system's colours, from right to left and for a printer, and once more
// in German; further ones are looked at in a few of these ways alone. All are opened once more without scripts, where no
// control may be left that does nothing. Nothing moves where that is not wanted.
// Prints what is wrong, a line each, and ends with 1 if there is anything.
//
// Usage: node check.mjs URL STATE.json [SCREENSHOTS]
// STATE.json: { "visitors": [{ "name": "…", "cookies": […], "pages": ["/", …], "main": 11, "heavy": ["/…"],
//   "further": [{ "path": "/…", "status": 200, "press": "…", "base": "…" }] }] }
// The first `main` pages are the main ones; those under `heavy` are weighed only. Of a further one, the button `press` is
// pressed first; its form comes from the commit `base` if there is one. `status` is that of what is looked at.

import { readFileSync, mkdirSync } from 'node:fs';
import { chromium } from 'playwright-core';

// The most that a page weighs without its images, as it is transferred, in bytes.
const PAGE_BYTES_MAX = 100_000;
// How many pages are open at a time.
const TABS = 4;
// How many times the Tab key is pressed before it is asked what is left.
const TAB_KEYS_AT_ONCE = 10;
// How many stops more than expected the Tab key may make: panes that scroll are some.
const MORE_STOPS_MAX = 40;

const [url, stateFile, screenshots] = process.argv.slice(2);
const { visitors } = JSON.parse(readFileSync(stateFile, 'utf8'));
const axe = readFileSync(new URL('./node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');
const plain = { colorScheme: 'light', contrast: null, forcedColors: null, media: null };
// What is dark differs in its colours alone, by the tokens of the style sheet.
const looks = [1280, 768, 390].flatMap((width) => [
  { name: `${width}-light`, width, media: { colorScheme: 'light' } },
  { name: `${width}-dark`, width, media: { colorScheme: 'dark' }, only: ['color-contrast', 'link-in-text-block'] },
]);
const mainLooks = [
  ...['light', 'dark'].map((colorScheme) => (
    { name: `contrast-${colorScheme}`, width: 1280, media: { colorScheme, contrast: 'more' }, rules: ['color-contrast-enhanced'] })),
  { name: 'forced-colors', width: 1280, media: { forcedColors: 'active' } },
  { name: 'print', width: 800, media: { media: 'print' } },
  { name: 'right-to-left', width: 390, media: {}, direction: 'rtl' },
  { name: 'reflow', width: 320, media: {}, only: ['label'] },
];
const furtherLooks = [
  ...['light', 'dark'].map((colorScheme) => (
    { name: `contrast-${colorScheme}`, width: 1280, media: { colorScheme, contrast: 'more' }, only: ['color-contrast', 'color-contrast-enhanced'] })),
  { name: 'forced-colors', width: 1280, media: { forcedColors: 'active' }, only: ['color-contrast', 'link-in-text-block'] },
  { name: 'right-to-left', width: 390, media: {}, direction: 'rtl', only: ['label', 'aria-valid-attr-value'] },
];
const furtherGerman = [{ name: 'german', width: 390, media: {}, only: ['html-has-lang', 'label', 'link-name', 'button-name'] }];
const problems = [];
const weights = [];

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync',
  ],
});

const jobs = [];
for (const visitor of visitors) {
  const context = async (options) => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, reducedMotion: 'reduce', ...options });
    await context.addCookies(visitor.cookies.map((cookie) => ({ ...cookie, url })));
    return context;
  };
  const [own, german, scriptless] = await Promise.all([
    context({}), context({ locale: 'de-DE' }), context({ javaScriptEnabled: false }),
  ]);
  visitor.pages.forEach((path, index) => {
    const isMain = index < visitor.main;
    jobs.push(() => look(own, path, visitor, [...looks, ...(isMain ? mainLooks : [])]));
    jobs.push(() => withoutScripts(scriptless, path, visitor));
    if (isMain) jobs.push(() => look(german, path, visitor, [{ name: 'german', width: 390, media: {} }]));
  });
  for (const page of visitor.further) {
    jobs.push(() => lookFurther(own, page, visitor, furtherLooks));
    jobs.push(() => lookFurther(german, page, visitor, furtherGerman));
  }
  for (const path of visitor.heavy) jobs.push(() => look(own, path, visitor, []));
}
await Promise.all(Array.from({ length: TABS }, async () => {
  for (let job = jobs.shift(); job; job = jobs.shift()) await job();
}));
await browser.close();

weights.sort((a, b) => b.bytes - a.bytes);
if (weights[0]?.bytes > PAGE_BYTES_MAX) {
  problems.push(`pages weigh up to ${PAGE_BYTES_MAX} bytes; the heaviest are:`);
  for (const { path, bytes, parts } of weights.slice(0, 10)) problems.push(`  ${path}: ${bytes} (${parts})`);
}
for (const problem of new Set(problems)) console.log(problem);
process.exit(problems.length ? 1 : 0);

// Opens a page and looks at it.
async function look(context, path, visitor, looks) {
  const name = `${visitor.name}: ${path}`;
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  const weigh = await scales(session);
  await open(page, path, name);
  weigh(`${path} (${visitor.name})`);
  // The page's own policy forbids foreign scripts, rightly; the inspector's world is exempt from it.
  await session.send('Page.setBypassCSP', { enabled: true });
  if (looks.length) await session.send('Runtime.evaluate', { expression: axe });
  if (looks.length > 1) await byKeys(page, session, name);
  await lookAt(page, session, path, visitor, looks);
  await page.close();
}

// Opens one of the further pages, and looks at it or at what a button of it leads to.
async function lookFurther(context, { path, status = 200, press, base }, visitor, looks) {
  const name = `${visitor.name}: ${path}${press ? ` (${press})` : ''}`;
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  await open(page, path, name, status, Boolean(press));
  if (press) {
    if (base) {
      await page.locator('[name=base]').evaluate((field, base) => { field.value = base; }, base);
      await page.locator('textarea[name=text]').evaluate((field) => { field.value = 'Another text.\n'; });
    }
    const [answer] = await Promise.all([
      page.waitForResponse((answer) => answer.request().method() === 'POST'),
      page.locator(`button[name=do][value=${press}]`).click(),
    ]);
    await page.waitForLoadState('load');
    if (answer.status() !== status) problems.push(`${name}: status ${answer.status()}`);
  }
  await session.send('Page.setBypassCSP', { enabled: true });
  await session.send('Runtime.evaluate', { expression: axe });
  await lookAt(page, session, path, visitor, looks, name);
  await page.close();
}

// Looks at an open page in some ways.
async function lookAt(page, session, path, visitor, looks, name = `${visitor.name}: ${path}`) {
  if (looks.length) await still(page, name);
  for (const { name: look, width, media, rules = [], only = [], direction } of looks) {
    const at = `${name} (${look})`;
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ ...plain, ...media });
    if (direction) await page.evaluate((direction) => { document.documentElement.dir = direction; }, direction);
    await fits(page, at);
    await accessible(session, { rules, only }, at);
    if (screenshots) await photograph(page, path, visitor, look);
  }
}

// Whoever asks for less motion sees none.
async function still(page, name) {
  const moving = await page.evaluate(() => {
    const takesTime = (times) => times.split(',').some((time) => parseFloat(time) > 0);
    const moves = (style) => takesTime(style.transitionDuration)
      || (style.animationName !== 'none' && takesTime(style.animationDuration)) || style.scrollBehavior === 'smooth';
    const isMoving = (element) => [null, '::before', '::after'].some((part) => moves(getComputedStyle(element, part)));
    return {
      isAsked: matchMedia('(prefers-reduced-motion: reduce)').matches,
      running: document.getAnimations().length,
      elements: [...document.querySelectorAll('*')].slice(0, 5_000).filter(isMoving).map((element) => element.outerHTML.slice(0, 120)),
    };
  });
  if (!moving.isAsked) problems.push(`${name}: less motion is not asked for`);
  if (moving.running) problems.push(`${name}: ${moving.running} animations run`);
  for (const element of moving.elements.slice(0, 3)) problems.push(`${name}: moves: ${element}`);
}

async function open(page, path, name, status = 200, leadsOn = false) {
  page.on('console', (message) => {
    // Of an answer that is to be a failure, Chromium tells there too.
    if (status !== 200 && message.text().includes(`status of ${status}`)) return;
    if (['error', 'warning'].includes(message.type())) problems.push(`${name}: console: ${message.text()}`);
  });
  page.on('pageerror', (error) => problems.push(`${name}: script: ${error}`));
  page.on('requestfailed', (request) => problems.push(`${name}: not loaded: ${request.url()}`));
  const answer = await page.goto(url + path, { waitUntil: 'load' });
  if (answer.status() !== (leadsOn ? 200 : status)) problems.push(`${name}: status ${answer.status()}`);
}

// Counts what is transferred from now on, with heads and without images.
async function scales(session) {
  const kinds = new Map();
  const bytes = {};
  session.on('Network.responseReceived', ({ requestId, type }) => kinds.set(requestId, type));
  session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    const kind = kinds.get(requestId);
    if (kind !== 'Image') bytes[kind] = (bytes[kind] ?? 0) + encodedDataLength;
  });
  await session.send('Network.enable');
  await session.send('Network.setCacheDisabled', { cacheDisabled: true });
  return (path) => {
    const sum = Object.values(bytes).reduce((sum, bytes) => sum + bytes, 0);
    if (!bytes.Document || !bytes.Stylesheet || !bytes.Script) problems.push(`${path}: was not weighed`);
    weights.push({ path, bytes: sum, parts: Object.entries(bytes).map((part) => part.join(' ')).join(', ') });
  };
}

async function fits(page, name) {
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (overflow > 0) problems.push(`${name}: ${overflow} px wider than the window`);
}

async function accessible(session, { rules, only }, name) {
  const { result } = await session.send('Runtime.evaluate', {
    expression: `axe.run(document, {
        resultTypes: ['violations'],
        ...(${JSON.stringify(only)}.length ? { runOnly: ${JSON.stringify(only)} } : {}),
        rules: Object.fromEntries(${JSON.stringify(rules)}.map((rule) => [rule, { enabled: true }])),
      })
      .then(({ violations }) => JSON.stringify(violations.map((v) =>
        v.id + ': ' + v.help + ' ' + v.nodes.slice(0, 3).map((n) => n.html.slice(0, 200)).join(' | '))))`,
    awaitPromise: true,
  });
  for (const violation of JSON.parse(result.value ?? '["axe did not run"]')) problems.push(`${name}: ${violation}`);
}

// Goes through the page by the Tab key, from its beginning to its end: each control is come by, is seen to have the
// focus, and lies under nothing.
async function byKeys(page, session, name) {
  const count = await page.evaluate(() => {
    const controls = 'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]';
    // Of the choices of one group, the Tab key stops at one.
    const groups = new Set();
    const isStop = (element) => {
      if (element.disabled || !element.checkVisibility({ visibilityProperty: true })) return false;
      if (element.type !== 'radio') return true;
      const isFirst = !groups.has(element.name);
      groups.add(element.name);
      return isFirst;
    };
    const words = (element) => element.outerHTML.slice(0, 120);
    const left = new Set([...document.querySelectorAll(controls)].filter(isStop));
    const group = (element) => [...left].find((other) => other.type === 'radio' && other.name === element.name);
    const walk = { left, wrong: [], stops: 0 };
    document.addEventListener('focusin', ({ target }) => {
      walk.stops += 1;
      left.delete(target.type === 'radio' ? group(target) : target);
      const style = getComputedStyle(target);
      const isSeen = style.outlineStyle !== 'none' || style.boxShadow !== 'none' || target.matches('.editor *');
      if (!isSeen) walk.wrong.push(`is not seen to have the focus: ${words(target)}`);
      // A line that is broken has a rectangle for each part; a pane may be larger than the window.
      const [{ left: x, right, top, bottom }] = target.getClientRects();
      const middle = (from, to, end) => (Math.max(from, 0) + Math.min(to, end)) / 2;
      const [above] = document.elementsFromPoint(middle(x, right, innerWidth), middle(top, bottom, innerHeight));
      const isFree = target.contains(above) || above?.contains(target) || above?.closest('label')?.control === target;
      if (!isFree) walk.wrong.push(`lies under something, or outside, as it has the focus: ${words(target)}`);
    });
    walk.words = () => [...walk.wrong, ...[...left].map((element) => `the Tab key does not come by ${words(element)}`)];
    window.walkByKeys = walk;
    document.activeElement?.blur();
    return left.size;
  });
  const hasEditor = await page.locator('.editor').count() > 0;
  const press = (key, code) => Promise.all(['rawKeyDown', 'keyUp'].map((type) => (
    session.send('Input.dispatchKeyEvent', { type, key, code: key, windowsVirtualKeyCode: code }))));
  const isLeft = () => page.evaluate(() => window.walkByKeys.left.size > 0);
  for (let pressed = 0; pressed < count + MORE_STOPS_MAX && await isLeft(); pressed += TAB_KEYS_AT_ONCE) {
    const keys = [];
    for (let key = 0; key < TAB_KEYS_AT_ONCE; key++) {
      // In a text that is edited, Tab indents until Escape.
      if (hasEditor) keys.push(press('Escape', 27));
      keys.push(press('Tab', 9));
    }
    await Promise.all(keys);
  }
  for (const problem of await page.evaluate(() => window.walkByKeys.words().slice(0, 5))) problems.push(`${name}: by keys: ${problem}`);
  await page.evaluate(() => { document.activeElement?.blur(); scrollTo(0, 0); });
}

// Opens a page where no script runs.
async function withoutScripts(context, path, visitor) {
  const name = `${visitor.name}: ${path} (without scripts)`;
  const page = await context.newPage();
  await open(page, path, name);
  await page.setViewportSize({ width: 390, height: 900 });
  await fits(page, name);
  const dead = await page.evaluate(() => [...document.querySelectorAll('button, input, select, textarea, a:not([href])')]
    .filter((element) => element.checkVisibility({ visibilityProperty: true }))
    .filter((element) => element.matches('a, button[type=button]') || !element.closest('form') && !element.form && !element.readOnly)
    .map((element) => element.outerHTML.slice(0, 120)));
  for (const control of dead) problems.push(`${name}: does nothing: ${control}`);
  if (screenshots) await photograph(page, path, visitor, 'without-scripts');
  await page.close();
}

async function photograph(page, path, visitor, look) {
  const directory = `${screenshots}/${visitor.name}`;
  mkdirSync(directory, { recursive: true });
  const file = `${directory}/${path.replace(/[^a-z0-9]+/gi, '_') || 'home'}-${look}.png`;
  await page.screenshot({ path: file, fullPage: true });
}
