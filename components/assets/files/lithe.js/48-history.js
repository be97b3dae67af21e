// --- history: images before and after a change, and ranges of commits -------------------------------

// Without a script, the images stand beside each other; with it, one can lie over the other.
for (const change of document.querySelectorAll('.image-change')) {
  if (change.querySelectorAll('figure').length !== 2) continue;
  const words = change.dataset;
  const modes = document.createElement('p');
  modes.className = 'image-modes';
  const range = document.createElement('input');
  Object.assign(range, { type: 'range', min: 0, max: 100, value: 50, hidden: true });
  range.setAttribute('aria-label', words.shown);
  range.addEventListener('input', () => change.style.setProperty('--shown', `${range.value}%`));
  const buttons = ['beside', 'swipe', 'fade'].map((mode) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'button button-small';
    button.textContent = words[mode];
    button.setAttribute('aria-pressed', String(mode === 'beside'));
    button.addEventListener('click', () => {
      buttons.forEach((other) => other.setAttribute('aria-pressed', String(other === button)));
      change.classList.toggle('is-over', mode !== 'beside');
      change.classList.toggle('is-swipe', mode === 'swipe');
      change.classList.toggle('is-fade', mode === 'fade');
      range.hidden = mode === 'beside';
    });
    return button;
  });
  modes.append(...buttons, range);
  change.before(modes);
}

// The base of a range lies below its head: choices that would turn it over cannot be made.
for (const form of document.querySelectorAll('form[data-range]')) {
  const [heads, bases] = ['to', 'from'].map((name) => [...form.querySelectorAll(`input[name=${name}]`)]);
  const chosen = (inputs) => inputs.findIndex((input) => input.checked);
  // A head that was chosen on an earlier page stands before the others, above all bases.
  const earlier = heads.length - bases.length;
  const update = () => {
    const [head, base] = [chosen(heads) - earlier, chosen(bases)];
    heads.forEach((input, index) => { input.disabled = base >= 0 && index - earlier >= base; });
    bases.forEach((input, index) => { input.disabled = head >= 0 && index <= head; });
  };
  form.addEventListener('change', update);
  update();
}

// More lines around the changes of a file come in the place of that file; what was looked at stays where it is.
document.addEventListener('click', async (event) => {
  const link = event.target.closest('a.diff-more');
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  if (link.ariaBusy) return;
  link.ariaBusy = 'true';
  const file = link.closest('.diff-file');
  const address = new URL(link.href);
  address.searchParams.set('part', '1');
  address.hash = '';
  const answer = await fetch(address, { headers: { accept: 'text/html' } }).catch(() => null);
  const page = answer?.ok && new DOMParser().parseFromString(await answer.text(), 'text/html');
  const found = page && page.getElementById(file.id);
  // A branch may have moved since: then the page is another one.
  const name = (from) => from?.querySelector('h3').textContent;
  if (!found || name(found) !== name(file)) return location.assign(link.href);
  const line = link.closest('tbody').querySelector('.line-number[id]')?.id;
  const top = () => document.getElementById(line)?.getBoundingClientRect().top ?? 0;
  const [before, aside] = [top(), file.querySelector('.code-wrap').scrollLeft];
  const hasFocus = document.activeElement === link;
  file.replaceWith(found);
  found.open = true;
  found.querySelector('.code-wrap')?.scrollTo(aside, 0);
  const next = document.getElementById(line)?.closest('tbody').querySelector('a.diff-more') ?? found.querySelector('summary');
  if (hasFocus) next.focus({ preventScroll: true });
  scrollBy({ top: top() - before, behavior: 'instant' });
});

// What takes long to be coloured is coloured once the page is there, while somebody looks at it.
async function colour(changes) {
  const answer = await fetch(changes.dataset.colours, { headers: { accept: 'text/html' } }).catch(() => null);
  if (!answer?.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  for (const file of changes.querySelectorAll('.diff-file')) {
    const [lines, coloured] = [file, page.getElementById(file.id)].map((from) => from?.querySelectorAll('.line-code') ?? []);
    // Of a file, more lines may be shown by now, which came with their colours.
    if (lines.length !== coloured.length) continue;
    for (const [index, line] of lines.entries()) {
      const found = coloured[index];
      if (line.innerHTML !== found.innerHTML && line.textContent === found.textContent) line.replaceChildren(...found.childNodes);
    }
  }
}
const plain = document.querySelector('[data-colours]');
if (plain && !document.hidden) colour(plain);
else if (plain) document.addEventListener('visibilitychange', () => colour(plain), { once: true });

// What contains a commit is found bit by bit, while somebody looks at it.
const CONTAINING_LOOKS_MAX = 5;
async function lookForContaining(looks) {
  const answer = await fetch(location.href, { headers: { accept: 'text/html' } }).catch(() => null);
  if (!answer?.ok) return;
  const found = new DOMParser().parseFromString(await answer.text(), 'text/html').querySelector('.commit-facts');
  const facts = document.querySelector('.commit-facts');
  // What somebody is at stays.
  if (!found || facts.contains(document.activeElement)) return;
  facts.replaceWith(found);
  if (found.matches('[data-partial]') && looks < CONTAINING_LOOKS_MAX) setTimeout(() => lookForContaining(looks + 1), 400);
}
if (document.querySelector('.commit-facts[data-partial]')) {
  setTimeout(() => { if (!document.hidden) lookForContaining(1); }, 400);
}
