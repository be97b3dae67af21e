// What a script can add to pages that work without one: copying, closing menus, a few keys.
'use strict';

// What the script says, in the language of the page.
const words = document.body.dataset;

// A button copies what it names: with `data-copy="ID"` the value or text of that element, with `data-text` a text, with
// `data-copy-from` a file as it is. It is hidden without a script.
for (const button of document.querySelectorAll('button:is([data-copy], [data-text], [data-copy-from])')) {
  const { copy, text, copyFrom } = button.dataset;
  const source = document.getElementById(copy);
  if (!(source || text || copyFrom) || !navigator.clipboard) continue;
  const label = [...button.childNodes];
  button.hidden = false;
  button.addEventListener('click', async () => {
    try {
      if (copyFrom) await copyFile(copyFrom);
      else await navigator.clipboard.writeText(text ?? source.value ?? source.textContent);
      button.textContent = words.copied;
    } catch {
      source?.select?.();
      button.textContent = words.byHand;
    }
    setTimeout(() => { button.replaceChildren(...label); }, 2000);
  });
}

// Some browsers let a page write to the clipboard only while it answers to a click, and so take a promise.
async function copyFile(address) {
  const item = new ClipboardItem({ 'text/plain': readFile(address) });
  await navigator.clipboard.write([item]);
}

// The text of a file, in the encoding that its address tells.
async function readFile(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(answer.status);
  const [, encoding] = answer.headers.get('content-type')?.match(/charset=([^;]+)/) ?? [];
  const text = new TextDecoder(encoding ?? 'utf-8').decode(await answer.arrayBuffer());
  return new Blob([text], { type: 'text/plain' });
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
