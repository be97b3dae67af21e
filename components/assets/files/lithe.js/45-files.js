// --- files: looking further, finding files ---------------------------------------------------------

// A page that knows a part only asks again by itself, while somebody looks at it.
if (document.querySelector('[data-goes-on]')) {
  setTimeout(() => { if (!document.hidden) location.reload(); }, 400);
}

// The last commits of a directory's entries are filled in as they are found; what has the focus keeps it.
const FILLS_MAX = 20;
async function fillIn(asked) {
  const answer = await fetch(document.querySelector('[data-fills] a').href, { headers: { accept: 'text/html' } });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  const [rows, found] = [document, page].map((where) => [...where.querySelectorAll('.files tbody tr')]);
  if (rows.length !== found.length) return;
  for (const [index, row] of rows.entries()) {
    for (const name of ['.message', '.when']) {
      const [cell, filled] = [row, found[index]].map((from) => from.querySelector(name));
      if (cell && filled && !cell.hasChildNodes()) cell.replaceWith(filled);
    }
  }
  if (!page.querySelector('[data-fills]')) return document.querySelector('[data-fills]').remove();
  if (asked < FILLS_MAX) setTimeout(() => fillIn(asked + 1), 400);
}
if (document.querySelector('[data-fills]')) setTimeout(() => { if (!document.hidden) fillIn(1); }, 400);

// Files are found while one types; Enter opens the first, the arrows go through them.
const finder = document.querySelector('form[data-find]');
if (finder) {
  const field = finder.elements.q;
  let asked = 0;
  let waiting;
  // The words for which the files are shown.
  let shown = field.defaultValue;
  const find = async () => {
    const number = ++asked;
    const words = field.value;
    const address = `${location.pathname}?q=${encodeURIComponent(words)}`;
    const answer = await fetch(address, { headers: { accept: 'text/html' } });
    if (!answer.ok || number !== asked) return;
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    document.getElementById('found').replaceWith(page.getElementById('found'));
    history.replaceState(null, '', address);
    shown = words;
  };
  field.addEventListener('input', () => {
    clearTimeout(waiting);
    waiting = setTimeout(find, 100);
  });
  finder.addEventListener('submit', async (event) => {
    event.preventDefault();
    clearTimeout(waiting);
    // Who types fast is ahead of what is shown.
    if (shown !== field.value) await find().catch(() => {});
    const first = document.querySelector('.found a');
    if (first && shown === field.value) first.click();
    else finder.submit();
  });
  document.addEventListener('keydown', (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    const stops = [field, ...document.querySelectorAll('.found a')];
    const at = stops.indexOf(document.activeElement);
    if (at < 0) return;
    event.preventDefault();
    stops[Math.min(Math.max(at + step, 0), stops.length - 1)].focus();
  });
}
