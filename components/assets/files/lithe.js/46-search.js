// --- search --------------------------------------------------------------------------------------

const searchWords = document.querySelector('#search-words');
if (searchWords) {
  keys.push(['s', searchWords.dataset.again, () => searchWords.select()]);
}
