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
