// --- files: looking further, finding files ---------------------------------------------------------

// A page that knows a part only asks again by itself, while somebody looks at it.
if (document.querySelector('[data-goes-on]')) {
  setTimeout(() => { if (!document.hidden) location.reload(); }, 400);
}
