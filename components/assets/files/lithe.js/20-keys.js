// --- keys, and the help about them ---------------------------------------------------------------

const keys = [
  ['/', words.find, () => document.querySelector('.site-search input')?.focus()],
  ['g', words.start, () => location.assign('/')],
  ['?', words.help, showKeys],
];

// A browser gives the focus to its field as it paints the page for the first time; who types before that would
// press the page's keys. It does not where the address names a place of the page.
if (document.activeElement === document.body && !document.querySelector(':target')) {
  document.querySelector('[autofocus]')?.focus();
}

document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') {
    for (const menu of document.querySelectorAll('details.menu[open]')) {
      menu.open = false;
      menu.querySelector('summary').focus();
    }
    return;
  }
  const isTyping = event.target.closest?.('input, textarea, select, [contenteditable]');
  // A dialog may be open and have no focus.
  if (isTyping || document.querySelector('dialog[open]') || event.ctrlKey || event.metaKey || event.altKey) return;
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
  title.textContent = words.keys;
  const list = document.createElement('dl');
  // Two links with the same key lead to the same page.
  const meanings = new Map(keys);
  for (const link of document.querySelectorAll('a[data-key]')) {
    meanings.set(link.dataset.key, link.title || link.textContent.trim());
  }
  for (const [key, meaning] of meanings) {
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
  close.textContent = words.close;
  form.append(close);
  dialog.append(title, list, form);
  dialog.setAttribute('aria-label', words.keys);
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
