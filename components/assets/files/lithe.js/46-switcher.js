// --- the choice of branches and tags, narrowed while one types ----------------------------------------

for (const field of document.querySelectorAll('input[data-filter-menu]')) {
  field.addEventListener('input', () => {
    const words = field.value.toLowerCase();
    const panel = field.closest('.menu-panel');
    let isNone = true;
    for (const item of panel.querySelectorAll('ul:not(:last-child) > li')) {
      item.hidden = !item.textContent.toLowerCase().includes(words);
      isNone &&= item.hidden;
    }
    const note = panel.querySelector('[data-none]');
    if (note) note.hidden = !isNone;
  });
  field.closest('details').addEventListener('toggle', (event) => {
    if (event.target.open) field.focus();
  });
}
