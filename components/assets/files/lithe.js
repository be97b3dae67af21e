// What a script can add to pages that work without one: copying, closing menus, a few keys.
'use strict';

// A button with `data-copy="ID"` copies the value or text of that element. It is hidden without a script.
for (const button of document.querySelectorAll('button[data-copy]')) {
  const source = document.getElementById(button.dataset.copy);
  if (!source || !navigator.clipboard) continue;
  const label = button.textContent;
  button.hidden = false;
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(source.value ?? source.textContent);
      button.textContent = 'Copied';
    } catch {
      source.select?.();
      button.textContent = 'Press Ctrl+C';
    }
    setTimeout(() => { button.textContent = label; }, 2000);
  });
}

// A field with a text to copy is selected whole when it is clicked.
for (const field of document.querySelectorAll('.copy-box input[readonly]')) {
  field.addEventListener('focus', () => field.select());
}

// An open menu closes at a click elsewhere.
document.addEventListener('click', (event) => {
  for (const menu of document.querySelectorAll('details.menu[open]')) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

// Selects with `data-go` lead to the chosen address at once; their button is for those without a script.
for (const select of document.querySelectorAll('select[data-go]')) {
  select.addEventListener('change', () => select.form?.requestSubmit());
}

const keys = [
  ['/', 'find a repository', () => document.querySelector('.site-search input')?.focus()],
  ['g', 'go to the start page', () => location.assign('/')],
  ['?', 'show these keys', showKeys],
];

document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') {
    for (const menu of document.querySelectorAll('details.menu[open]')) {
      menu.open = false;
      menu.querySelector('summary').focus();
    }
    return;
  }
  const isTyping = event.target.closest?.('input, textarea, select, [contenteditable], dialog');
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  const own = document.querySelector(`a[data-key="${CSS.escape(event.key)}"]`);
  const action = own ? () => own.click() : keys.find(([key]) => key === event.key)?.[2];
  if (!action) return;
  event.preventDefault();
  action();
});

function showKeys() {
  const dialog = document.createElement('dialog');
  dialog.className = 'keys';
  const title = document.createElement('h2');
  title.textContent = 'Keys';
  const list = document.createElement('dl');
  const own = [...document.querySelectorAll('a[data-key]')]
    .map((link) => [link.dataset.key, link.title || link.textContent.trim()]);
  for (const [key, meaning] of [...keys, ...own]) {
    const term = document.createElement('dt');
    const name = document.createElement('kbd');
    name.textContent = key;
    term.append(name);
    const text = document.createElement('dd');
    text.textContent = meaning;
    list.append(term, text);
  }
  const form = document.createElement('form');
  form.method = 'dialog';
  const close = document.createElement('button');
  close.className = 'button';
  close.textContent = 'Close';
  form.append(close);
  dialog.append(title, list, form);
  dialog.setAttribute('aria-label', 'Keys');
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

// --- browse: ranges of lines -----------------------------------------------------------------------

// `#L10-L20` marks the lines of a file; a click on a line's number with Shift held extends from the marked one.
function markLines() {
  const [, first, last] = location.hash.match(/^#L(\d+)-L(\d+)$/) ?? [];
  for (const row of document.querySelectorAll('.blob tr.is-marked')) row.classList.remove('is-marked');
  if (!first) return;
  const [from, to] = [Number(first), Number(last)].sort((a, b) => a - b);
  const rows = [...document.querySelectorAll('.blob tr')].slice(Math.max(from - 1, 0), to);
  for (const row of rows) row.classList.add('is-marked');
  rows[0]?.scrollIntoView({ block: 'center' });
}

if (document.querySelector('.blob')) {
  markLines();
  addEventListener('hashchange', markLines);
  document.querySelector('.blob').addEventListener('click', (event) => {
    const number = event.target.closest('.line-number a')?.hash.slice(2);
    const marked = location.hash.match(/^#L(\d+)/)?.[1];
    if (!number || !marked || !event.shiftKey) return;
    event.preventDefault();
    location.hash = `#L${Math.min(marked, number)}-L${Math.max(marked, number)}`;
  });
}
