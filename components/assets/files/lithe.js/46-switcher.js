// --- the choice of branches and tags, narrowed while one types ----------------------------------------

for (const field of document.querySelectorAll('input[data-filter-menu]')) {
  field.addEventListener('input', () => {
    const words = field.value.toLowerCase();
    for (const link of field.closest('.menu-panel').querySelectorAll('li > a')) {
      link.parentElement.hidden = !link.textContent.toLowerCase().includes(words);
    }
  });
  field.closest('details').addEventListener('toggle', (event) => {
    if (event.target.open) field.focus();
  });
}
