// What a script can add to pages that work without one: copying, closing menus, a few keys.
'use strict';

// What the script says, in the language of the page.
const words = document.body.dataset;

// A button with `data-copy="ID"` copies the value or text of that element. It is hidden without a script.
for (const button of document.querySelectorAll('button[data-copy]')) {
  const source = document.getElementById(button.dataset.copy);
  if (!source || !navigator.clipboard) continue;
  const label = button.textContent;
  button.hidden = false;
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(source.value ?? source.textContent);
      button.textContent = words.copied;
    } catch {
      source.select?.();
      button.textContent = words.byHand;
    }
    setTimeout(() => { button.textContent = label; }, 2000);
  });
}

// A field with a text to copy is selected whole when it is clicked.
for (const field of document.querySelectorAll('.copy-box input[readonly]')) {
  field.addEventListener('focus', () => field.select());
}

// An open menu closes at a click elsewhere, and when the focus goes elsewhere, which it might lie over.
for (const kind of ['click', 'focusin']) {
  document.addEventListener(kind, (event) => {
    for (const menu of document.querySelectorAll('details.menu[open]')) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
}

// Selects with `data-go` lead to the chosen address at once; their button is for those without a script, and for those who
// come by the choices one by one with the arrow keys.
for (const select of document.querySelectorAll('select[data-go]')) {
  let isByKeys = false;
  select.addEventListener('keydown', () => { isByKeys = true; });
  select.addEventListener('pointerdown', () => { isByKeys = false; });
  select.addEventListener('change', () => { if (!isByKeys) select.form?.requestSubmit(); });
}
