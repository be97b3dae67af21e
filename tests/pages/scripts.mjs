// Uses what scripts add to pages, in a headless Chromium, by keys and by the mouse as people would. Prints what is
// wrong, a line each, and ends with 1 if there is anything.
//
// Usage: node scripts.mjs URL STATE.json
// STATE.json: { "cookies": […], "repository": "/…", "commit": "…", "image": "…" }

import { readFileSync } from 'node:fs';
import { chromium } from 'playwright-core';

// How many pages are open at a time.
const TABS = 3;
// How long anything may take; much runs beside a test.
const WAIT_MS_MAX = 30_000;

const [url, stateFile] = process.argv.slice(2);
const { cookies, repository, commit, image } = JSON.parse(readFileSync(stateFile, 'utf8'));
const problems = [];

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-sync'],
});

const file = `${repository}/-/blob/main/src/main.rs`;
const uses = {
  async 'the help about keys'({ page, expect, soon, press, focused, open }) {
    await open(file);
    await page.locator('.brand').focus();
    const before = await focused();
    const dialog = page.locator('dialog');
    for (const close of ['Escape', 'Enter']) {
      await press('?');
      expect(await dialog.count() === 1 && await dialog.isVisible(), '`?` opens it');
      expect(await dialog.getAttribute('aria-label') === 'Keys', 'it has a name');
      const keys = await dialog.locator('kbd').allInnerTexts();
      for (const key of ['/', 'g', '?', 't', 'y', 'b', 'e', 's']) expect(keys.includes(key), `it tells of ${key}: ${keys}`);
      expect(new Set(keys).size === keys.length, `it tells of each key once: ${keys}`);
      expect((await dialog.locator('dd').allInnerTexts()).every((text) => text.trim()), 'each key has a meaning');
      // A click on a text takes the focus away, and keys do nothing beside an open dialog.
      if (close === 'Escape') {
        await dialog.locator('h2').click();
        await press('?');
        await press('g');
        expect(await dialog.count() === 1, 'there is one dialog');
        expect(page.url() === url + file, `keys lead nowhere beside it: ${page.url()}`);
      } else {
        expect(await focused() === 'Close', `its button has the focus: ${await focused()}`);
      }
      await press(close);
      await soon(async () => await dialog.count() === 0, `${close} closes it`);
      await soon(async () => await focused() === before, async () => `${close} gives the focus back: ${await focused()}`);
    }
    await open(`${repository}/-/blame/main/src/main.rs`);
    await press('?');
    const keys = await dialog.locator('kbd').allInnerTexts();
    expect(keys.filter((key) => key === 'y').length === 1, `of where lines come from, it tells of each key once: ${keys}`);
  },

  async 'keys that lead on'({ page, expect, press, goes, open }) {
    await open(file);
    await press('/');
    const search = page.locator('.site-search input');
    expect(await search.evaluate((field) => field === document.activeElement), '`/` leads to the search');
    await page.keyboard.type('gyb?');
    expect(await search.inputValue() === 'gyb?', `and types nothing: ${await search.inputValue()}`);
    expect(page.url() === url + file, 'keys do nothing while one types');
    await open(file);
    for (const key of ['Control+g', 'Alt+b', 'Meta+y', 'x']) await press(key);
    expect(page.url() === url + file, `other keys do nothing: ${page.url()}`);
    await goes('y', `${repository}/-/blob/${commit}/src/main.rs`);
    await open(file);
    await goes('b', `${repository}/-/blame/main/src/main.rs`);
    await goes('y', `${repository}/-/blame/${commit}/src/main.rs`);
    await goes('b', `${repository}/-/blob/${commit}/src/main.rs`);
    // The lines that are chosen stay so.
    await open(`${file}#L1-L2`);
    await goes('y', `${repository}/-/blob/${commit}/src/main.rs#L1-L2`);
    await goes('b', `${repository}/-/blame/${commit}/src/main.rs#L1-L2`);
    await open(file);
    await goes('e', `${repository}/-/edit/main/src/main.rs`);
    await open(`${repository}/-/tree/main/src`);
    await goes('y', `${repository}/-/tree/${commit}/src`);
    await goes('s', `${repository}/-/search?ref=${commit}`, `${repository}/-/search`);
    await open(`${repository}/-/refs`);
    await goes('g', '/');
  },

  async 'the key of the search'({ page, expect, press, open }) {
    await open(`${repository}/-/search?q=println`);
    await press('s');
    const selected = () => page.evaluate(() => {
      const field = document.activeElement;
      return field.value?.slice(field.selectionStart, field.selectionEnd);
    });
    expect(await selected() === 'println', `its words are selected: ${await selected()}`);
    await page.locator('#main').focus();
    await press('?');
    const texts = await page.locator('dialog dd').allInnerTexts();
    expect(texts.includes('search for something else'), `the help tells of it: ${texts}`);
  },

  async 'finding a file'({ page, expect, press, goes, leads, open }) {
    // Before the first paint, too, what one types is not taken for the page's keys.
    await page.addInitScript(() => {
      document.addEventListener('DOMContentLoaded', () => { window.focusedAtFirst = document.activeElement.id; });
    });
    await open(repository);
    await goes('t', `${repository}/-/find/main`);
    expect(await page.evaluate(() => focusedAtFirst) === 'find-words', 'the field has the focus from the first');
    await page.keyboard.type('long');
    await leads('/-/find/main?q=long');
    const names = await page.locator('.found a').allInnerTexts();
    expect(names.join() === 'src/long.txt', `what is found is shown: ${names}`);
    await press('ArrowDown');
    expect(await page.evaluate(() => document.activeElement.textContent) === 'src/long.txt', 'an arrow leads to it');
    await press('ArrowUp');
    expect(await page.evaluate(() => document.activeElement.id) === 'find-words', 'and back');
    await goes('Enter', `${repository}/-/blob/main/src/long.txt`);
    await page.goBack();
    expect(await page.locator('#find-words').inputValue() === 'long', 'the way back leads to what was found');
    // Who types fast is not led to what was shown before.
    await open(`${repository}/-/find/main`);
    await page.keyboard.type('src main');
    await goes('Enter', file);
    await open(`${repository}/-/find/main`);
    await page.keyboard.type('nothing like it');
    await press('Enter');
    await leads('?q=nothing');
    expect((await page.locator('#found').innerText()).includes('No path has these letters'), 'it is said where nothing is found');
    expect(page.url().includes('/-/find/'), `nothing is opened then: ${page.url()}`);
  },

  async 'what contains a commit'({ page, expect, soon, open }) {
    // Twice, it is found in part.
    let asked = 0;
    await page.route('**/-/commit/**', async (route) => {
      const response = await route.fetch();
      const body = await response.text();
      asked += 1;
      await route.fulfill({ response, body: asked < 3 ? body.replace('class="commit-facts"', '$& data-partial') : body });
    });
    await open(`${repository}/-/commit/${commit}`);
    expect(await page.locator('.commit-facts[data-partial]').count() === 1, 'not all is known at first');
    await soon(async () => await page.locator('.commit-facts:not([data-partial])').count() === 1, 'it is filled in');
    expect(asked === 3, `it is asked for as long as something is missing: ${asked}`);
    await page.unroute('**/-/commit/**');
  },

  async 'branches and tags'({ page, expect, soon, press, goes, focused, open }) {
    await open(file);
    const summary = page.locator('.switcher > summary');
    await summary.focus();
    await press('Enter');
    const field = page.locator('.switcher input');
    await soon(() => field.evaluate((field) => field === document.activeElement), 'the field has the focus once they are open');
    const shown = () => page.locator('.switcher li:visible').allInnerTexts();
    expect((await shown()).includes('topic/one'), `all are shown at first: ${await shown()}`);
    await page.keyboard.type('TOPIC');
    expect((await shown()).slice(0, 2).join() === 'topic/one,topic/two', `those with the letters are left: ${await shown()}`);
    expect(!(await shown()).includes('v1'), `others are not: ${await shown()}`);
    const note = page.locator('.switcher [data-none]');
    expect(!await note.isVisible(), 'nothing is said where some are left');
    await page.keyboard.type(' no such');
    expect(await note.isVisible(), 'where none is left, it is said what Enter does');
    await field.fill('TOPIC');
    expect(!await note.isVisible(), 'and no longer where some are');
    await press('Tab');
    expect(await focused() === 'topic/one', `Tab leads to the first: ${await focused()}`);
    await press('Escape');
    expect(await page.locator('.switcher[open]').count() === 0, 'Escape closes them');
    expect(await summary.evaluate((summary) => summary === document.activeElement), 'and gives the focus back');
    await press('Enter');
    await field.fill('v1');
    await goes('Enter', `${repository}/-/blob/v1/src/main.rs`);
    await open(file);
    await summary.click();
    // Nothing there takes the focus.
    await page.locator('.site-footer p').click();
    expect(await page.locator('.switcher[open]').count() === 0, 'a click elsewhere closes them');
    await open(`${repository}/-/refs`);
    await page.locator('.filter input').focus();
    await page.keyboard.type('topic');
    await goes('Enter', `${repository}/-/refs?q=topic`);
    const names = await page.locator('.refs th[scope=row] a').allInnerTexts();
    expect(names.join() === 'topic/one,topic/two', `the list has those with the letters: ${names}`);
  },

  async 'menus'({ page, expect, press, goes, focused, open }) {
    await open(repository);
    for (const menu of ['.site-nav details.menu', '.downloads', '.switcher']) {
      const details = page.locator(menu).first();
      await details.locator('summary').focus();
      await press('Enter');
      expect(await details.evaluate((menu) => menu.open), `Enter opens ${menu}`);
      await press('Tab');
      expect(await details.evaluate((menu) => menu.contains(document.activeElement)), `Tab leads into ${menu}`);
      await press('Escape');
      expect(!await details.evaluate((menu) => menu.open), `Escape closes ${menu}`);
      expect(await details.evaluate((menu) => menu.querySelector('summary') === document.activeElement), `and leaves the focus at ${menu}`);
      // Whoever goes on by Tab leaves no menu behind, which would lie over what has the focus.
      await press('Enter');
      for (let key = 0; key < 30 && await details.evaluate((menu) => menu.contains(document.activeElement)); key++) await press('Tab');
      expect(!await details.evaluate((menu) => menu.contains(document.activeElement)), `Tab leads out of ${menu}`);
      expect(!await details.evaluate((menu) => menu.open), `${menu} closes then, at ${await focused()}`);
    }
    await page.locator('.site-nav details.menu summary').first().focus();
    await press('Enter');
    for (let key = 0; key < 9 && await focused() !== 'Account'; key++) await press('Tab');
    await goes('Enter', '/-/account');
  },

  async 'the switcher of repositories'({ page, expect, soon, press, goes, focused, open }) {
    await open('/-/account');
    await page.locator('.site-switcher > summary').focus();
    await press('Enter');
    const field = page.locator('.site-switcher input');
    await soon(() => field.evaluate((field) => field === document.activeElement), 'its field has the focus once it is open');
    await page.keyboard.type(repository.split('/').pop());
    const link = page.locator(`[data-found] a[href="${repository}"]`);
    await link.waitFor();
    expect(await page.locator('[data-found] a').count() <= 10, 'it shows some');
    for (let key = 0; key < 10 && await focused() !== repository.slice(1); key++) await press('Tab');
    await goes('Enter', repository);
    await open('/-/account');
    await page.locator('.site-switcher > summary').click();
    await field.fill(repository.split('/').pop());
    await link.waitFor();
    await field.fill('');
    await page.waitForFunction(() => !document.querySelector('[data-found]').children.length);
  },

  async 'lines'({ page, expect, soon, leads, open }) {
    const marked = () => page.locator('.blob tr').evaluateAll((rows) => {
      const plain = getComputedStyle(rows.at(-1)).backgroundColor;
      return rows.filter((row) => getComputedStyle(row).backgroundColor !== plain).map((row) => row.id).join();
    });
    const at = () => page.evaluate(() => location.hash);
    const number = (line) => page.locator(`#L${line} .line-number a`);
    await open(file);
    const windows = page.context().pages().length;
    await number(4).click({ modifiers: ['Shift'] });
    await soon(async () => await at() === '#L4' && await marked() === 'L4', async () => `a first click with Shift marks one: ${await at()} ${await marked()}`);
    await number(3).click();
    await soon(async () => await at() === '#L3' && await marked() === 'L3', async () => `a click marks one: ${await at()} ${await marked()}`);
    await number(5).click({ modifiers: ['Shift'] });
    await soon(async () => await at() === '#L3-L5' && await marked() === 'L3,L4,L5', async () => `with Shift, all up to there: ${await at()} ${await marked()}`);
    await number(2).click({ modifiers: ['Shift'] });
    await soon(async () => await at() === '#L2-L3' && await marked() === 'L2,L3', async () => `upwards too: ${await at()} ${await marked()}`);
    await number(1).press('Enter');
    await soon(async () => await at() === '#L1' && await marked() === 'L1', async () => `another marks that alone: ${await at()} ${await marked()}`);
    await page.goBack();
    await soon(async () => await marked() === 'L2,L3', async () => `the way back marks what was marked: ${await marked()}`);
    expect(page.context().pages().length === windows, 'no window was opened');
    for (const address of [file, `${repository}/-/blame/main/src/main.rs`]) {
      await open(`${address}#L3-L5`);
      await soon(async () => await marked() === 'L3,L4,L5', async () => `what is opened directly is marked: ${address} ${await marked()}`);
    }
    // A long file comes in parts.
    const long = `${repository}/-/blob/main/src/long.txt`;
    await open(long);
    expect(await page.locator('#L1').count() === 1 && await page.locator('#L6500').count() === 0, 'a long file has parts');
    await Promise.all([leads('from='), page.evaluate(() => { location.hash = '#L6500-L6502'; })]);
    await page.waitForLoadState('load');
    await soon(async () => await marked() === 'L6500,L6501,L6502', async () => `lines are gone to and marked where they are: ${page.url()} ${await marked()}`);
    expect(await page.locator('#L6500').evaluate((row) => {
      const { top, bottom } = row.getBoundingClientRect();
      return top >= 0 && bottom <= innerHeight;
    }), 'and are seen');
    await open(`${long}?from=6000#L2`);
    await leads('from=0#L2');
    await soon(async () => await marked() === 'L2', async () => `from another part, too: ${await marked()}`);
  },

  async 'images that were changed'({ page, expect, press, open }) {
    await open(`${repository}/-/commit/${image}`);
    const change = page.locator('.image-change');
    const range = page.getByRole('slider');
    const pressed = () => page.locator('.image-modes button[aria-pressed=true]').allInnerTexts();
    const boxes = () => change.locator('img').evaluateAll((images) => images.map((image) => image.getBoundingClientRect().left));
    const after = (property) => change.locator('figure + figure img').evaluate((image, property) => getComputedStyle(image)[property], property);
    expect((await pressed()).join() === 'Side by side', `they stand side by side at first: ${await pressed()}`);
    const [left, right] = await boxes();
    expect(left < right && await range.count() === 0, `and have no slider: ${left} ${right}`);
    for (const [mode, property, values] of [
      ['Swipe', 'clipPath', ['inset(0px 50% 0px 0px)', 'inset(0px 49% 0px 0px)']],
      ['Fade', 'opacity', ['0.51', '0.52']],
    ]) {
      await page.getByRole('button', { name: mode }).focus();
      await press('Enter');
      expect((await pressed()).join() === mode, `${mode} is chosen: ${await pressed()}`);
      const [one, other] = await boxes();
      expect(one === other, `${mode} lays one over the other: ${one} ${other}`);
      expect(await range.getAttribute('aria-label') === 'How much of the image after is shown', 'the slider has a name');
      const values_ = [await after(property)];
      await range.focus();
      await press('ArrowRight');
      values_.push(await after(property));
      const same = values.every((value, index) => values_[index].replace(/calc\(([^)]*)\)/, '$1') === value);
      expect(same, `${mode} follows the slider: ${values_}`);
    }
    await page.getByRole('button', { name: 'Side by side' }).first().focus();
    const beside = page.locator('.image-modes button').first();
    await beside.focus();
    await press('Space');
    expect(await range.count() === 0 && (await boxes())[0] < (await boxes())[1], 'and back, side by side');
  },

  async 'a range of commits'({ page, expect, press, goes, leads, open }) {
    await open(`${repository}/-/commits/main`);
    await page.getByRole('link', { name: 'Choose a range' }).press('Enter');
    await leads('choose=1');
    const inputs = (name) => page.locator(`input[name=${name}]`);
    const free = (name) => inputs(name).evaluateAll((inputs) => inputs.map((input) => !input.disabled));
    const ids = await inputs('from').evaluateAll((inputs) => inputs.map((input) => input.value));
    expect(ids.length > 3, `there are commits to choose from: ${ids.length}`);
    await inputs('to').nth(1).focus();
    await press('Space');
    expect((await free('from')).slice(0, 3).join() === 'false,false,true', `a range begins below its end: ${await free('from')}`);
    await inputs('from').nth(3).focus();
    await press('Space');
    expect((await free('to')).slice(0, 5).join() === 'true,true,true,false,false', `and ends above where it begins: ${await free('to')}`);
    await page.locator('form[data-range] button[type=submit]').first().focus();
    await press('Enter');
    await leads('/-/compare/');
    const [from, to] = decodeURIComponent(page.url()).split('/-/compare/')[1].split(/\.{2,3}/);
    expect(from === ids[3] && to === ids[1], `they are compared: ${page.url()}`);
  },

  async 'last commits that are filled in'({ page, expect, open }) {
    // The page as it is while the last commits are still looked for: the real one, without some.
    let asked = 0;
    let goOn;
    const isSeen = new Promise((resolve) => { goOn = resolve; });
    const address = `${repository}/-/tree/main/src`;
    await page.route(`**${address}*`, async (route) => {
      asked += 1;
      expect(route.request().url() === url + address + (asked > 1 ? '?look=further' : ''), `it asks for ${route.request().url()}`);
      if (asked > 1) await isSeen;
      const answer = await route.fetch();
      let text = await answer.text();
      if (asked < 3) {
        const empty = (cell, row) => (asked === 1 || row.includes('long.txt') ? cell.replace(/>.*<\/td>/, '></td>') : cell);
        text = text.replace(/<tr>.*?<\/tr>/gs, (row) => row.replace(/<td class="(message|when wide)"[^>]*>.*?<\/td>/gs, (cell) => empty(cell, row)))
          .replace('</table>', '</table><p class="panel-notice" data-fills><a href="?look=further">Look further</a></p>');
      }
      await route.fulfill({ response: answer, body: text });
    });
    await open(address);
    const cell = (name) => page.locator('.files tr', { hasText: name }).locator('.message');
    expect(await cell('main.rs').innerText() === '' && await page.locator('[data-fills]').count() === 1, 'nothing is known at first');
    await page.getByRole('link', { name: 'main.rs' }).focus();
    goOn();
    await page.waitForFunction(() => !document.querySelector('[data-fills]'));
    expect(asked === 3, `it asks until all is known: ${asked}`);
    for (const [name, title] of [['main.rs', 'Five lines and one'], ['long.txt', 'First']]) {
      expect(await cell(name).innerText() === title, `${name} has its last commit: ${await cell(name).innerText()}`);
    }
    expect(await page.evaluate(() => document.activeElement.textContent) === 'main.rs', 'what has the focus keeps it');
    expect(await page.locator('.files tr', { hasText: 'main.rs' }).locator('.when time').count() === 1, 'and when it was');
  },

  async 'a page that goes on'({ page, expect, open }) {
    let asked = 0;
    const address = `${repository}/-/stats/main`;
    await page.route(`**${address}`, async (route) => {
      const answer = await route.fetch();
      asked += 1;
      const body = (await answer.text()).replace('</main>', asked === 1 ? '<p data-goes-on>More</p></main>' : '</main>');
      await route.fulfill({ response: answer, body });
    });
    await open(address);
    await page.waitForFunction(() => !document.querySelector('[data-goes-on]'));
    expect(asked === 2, `it asks again: ${asked}`);
  },

  async 'copying'({ page, expect, press, open }) {
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'], { origin: url });
    await open(repository);
    const button = page.locator('button[data-copy]').first();
    await button.focus();
    await press('Enter');
    await page.waitForFunction(() => document.querySelector('button[data-copy]').textContent === 'Copied');
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    expect(copied === `${url}${repository}.git`, `the address is copied: ${copied}`);
    await page.waitForFunction(() => document.querySelector('button[data-copy]').textContent === 'Copy');
    // Where the browser forbids it, the text is selected to be copied by hand.
    await page.evaluate(() => { navigator.clipboard.writeText = () => Promise.reject(new Error('forbidden')); });
    await button.focus();
    await press('Enter');
    await page.waitForFunction(() => document.querySelector('button[data-copy]').textContent === 'Press Ctrl+C');
    expect(await page.evaluate(() => getSelection().toString() || document.activeElement.value) !== '', 'what is to be copied is selected');
  },

  async 'the order of a list'({ page, expect, press, leads, open }) {
    await open('/team');
    const order = page.locator('#list-order');
    await Promise.all([leads('sort=change'), order.selectOption('change')]);
    expect(await order.inputValue() === 'change', 'what is chosen is shown at once');
    // By the arrows, one comes by others on the way.
    await open('/team');
    await order.focus();
    await press('ArrowDown');
    await press('ArrowDown');
    expect(await order.inputValue() === 'owner' && page.url() === `${url}/team`, `arrows choose and lead nowhere: ${page.url()}`);
    await press('Tab');
    await Promise.all([leads('sort=owner'), press('Enter')]);
    expect(await order.inputValue() === 'owner', 'the button does');
  },

  async 'a form by keys'({ page, expect, press, leads, open }) {
    await open(`${repository}/-/commits/main`);
    await page.locator('.log-filter > summary').focus();
    await press('Enter');
    await press('Tab');
    await page.keyboard.type('five');
    await press('Enter');
    await leads('message=five');
    const titles = await page.locator('.commit-title').allInnerTexts();
    expect(titles.length === 1 && titles[0].includes('Five lines'), `what is looked for is found: ${titles}`);
  },
};

const jobs = Object.entries(uses).map(([name, use]) => () => run(name, use));
await Promise.all(Array.from({ length: TABS }, async () => {
  for (let job = jobs.shift(); job; job = jobs.shift()) await job();
}));
await browser.close();
for (const problem of new Set(problems)) console.log(problem);
process.exit(problems.length ? 1 : 0);

// Does one thing in a browser of its own: what one has the focus of, no other has.
async function run(name, use) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, reducedMotion: 'reduce' });
  context.setDefaultTimeout(WAIT_MS_MAX);
  await context.addCookies(cookies.map((cookie) => ({ ...cookie, url })));
  const page = await context.newPage();
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) problems.push(`${name}: console: ${message.text()}`);
  });
  page.on('pageerror', (error) => problems.push(`${name}: script: ${error}`));
  const expect = (is, problem) => { if (!is) problems.push(`${name}: ${problem}`); };
  // What comes a moment after a key or a click.
  const soon = async (is, problem) => {
    const end = Date.now() + WAIT_MS_MAX;
    while (!await is()) {
      if (Date.now() > end) return expect(false, typeof problem === 'string' ? problem : await problem());
      await page.waitForTimeout(20);
    }
  };
  const press = (key) => page.keyboard.press(key);
  const open = (address) => page.goto(url + address, { waitUntil: 'load' });
  const focused = () => page.evaluate(() => document.activeElement.textContent.trim());
  // Waits for an address with that in it.
  const leads = (part) => page.waitForURL((at) => at.href.includes(part));
  // Presses a key that leads to one of these addresses.
  const goes = async (key, ...addresses) => {
    const isThere = (at) => addresses.includes(at.href.slice(url.length));
    await Promise.all([
      page.waitForURL(isThere, { timeout: WAIT_MS_MAX }).catch(() => expect(false, `\`${key}\` leads to ${addresses[0]}, not to ${page.url()}`)),
      press(key),
    ]);
  };
  try {
    await use({ page, expect, soon, press, goes, leads, focused, open });
  } catch (error) {
    problems.push(`${name}: ${String(error).split('\n').slice(0, 3).join(' ')}`);
  }
  await context.close();
}
