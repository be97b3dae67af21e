// --- browse: ranges of lines -----------------------------------------------------------------------

// `#L10-L20` marks the lines of a file; a click on a line's number with Shift held extends from the marked one.
function markLines() {
  const [, first, last] = location.hash.match(/^#L(\d+)-L(\d+)$/) ?? [];
  for (const row of document.querySelectorAll('.blob tr.is-marked')) row.classList.remove('is-marked');
  if (!first) return;
  const [from, to] = [Number(first), Number(last)].sort((a, b) => a - b);
  const isBetween = (row) => Number(row.id.slice(1)) >= from && Number(row.id.slice(1)) <= to;
  const rows = [...document.querySelectorAll('.blob tr[id]')].filter(isBetween);
  for (const row of rows) row.classList.add('is-marked');
  rows[0]?.scrollIntoView({ block: 'center' });
}

// A line that is on another part of a long file is gone to.
function goToPart() {
  const part = Number(document.querySelector('.blob[data-part]')?.dataset.part);
  const line = Number(location.hash.match(/^#L(\d+)/)?.[1]);
  if (!part || !line || document.getElementById(`L${line}`)) return;
  const address = new URL(location.href);
  const from = Math.floor((line - 1) / part) * part;
  if (address.searchParams.get('from') === String(from)) return;
  address.searchParams.set('from', from);
  location.replace(address);
}

if (document.querySelector('.blob')) {
  for (const look of [goToPart, markLines]) {
    look();
    addEventListener('hashchange', look);
  }
  document.querySelector('.blob').addEventListener('click', (event) => {
    const number = event.target.closest('.line-number a')?.hash.slice(2);
    if (!number || !event.shiftKey) return;
    // The browser would open another window.
    event.preventDefault();
    const marked = location.hash.match(/^#L(\d+)/)?.[1];
    location.hash = marked ? `#L${Math.min(marked, number)}-L${Math.max(marked, number)}` : `#L${number}`;
  });
}

// The lines that are chosen stay chosen at the permanent address, and where one sees where they come from.
document.addEventListener('click', (event) => {
  const link = event.target.closest?.('a[data-key="y"], a[data-key="b"]');
  if (link && /^#L\d/.test(location.hash)) link.hash = location.hash;
}, true);
