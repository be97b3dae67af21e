// --- the choice of branches and tags, narrowed while one types ----------------------------------------

for (const field of document.querySelectorAll('input[data-filter-menu]')) {
  field.addEventListener('input', () => {
    const words = field.value.toLowerCase();
    for (const item of field.closest('.menu-panel').querySelectorAll('ul:not(:last-child) > li')) {
      item.hidden = !item.textContent.toLowerCase().includes(words);
    }
  });
  field.closest('details').addEventListener('toggle', (event) => {
    if (event.target.open) field.focus();
  });
}
