// --- machines: the switcher of repositories ------------------------------------------------------

// Repositories and groups are found while one types; without a script, the form leads to them.
for (const form of document.querySelectorAll('form[data-switch]')) {
  const list = form.parentElement.querySelector('[data-found]');
  const field = form.elements.q;
  let asked = 0;
  let waiting;
  const find = async () => {
    const number = ++asked;
    const words = field.value.trim();
    if (!words) return list.replaceChildren();
    const answer = await fetch(`/?q=${encodeURIComponent(words)}`, { headers: { accept: 'application/json' } });
    if (!answer.ok || number !== asked) return;
    const { rows } = await answer.json();
    list.replaceChildren(...rows.slice(0, 10).map((row) => {
      const item = document.createElement('li');
      const link = document.createElement('a');
      link.href = row.href;
      link.textContent = row.name;
      item.append(link);
      return item;
    }));
  };
  field.addEventListener('input', () => {
    clearTimeout(waiting);
    waiting = setTimeout(find, 150);
  });
  form.closest('details').addEventListener('toggle', (event) => { if (event.target.open) field.focus(); });
}
