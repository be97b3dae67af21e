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
