// --- search --------------------------------------------------------------------------------------

const searchWords = document.querySelector('#search-words');
if (searchWords) {
  keys.push(['s', 'search for something else', () => searchWords.select()]);
}
