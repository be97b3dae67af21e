// The editor of the page that changes a file: it takes the place of the text area with `data-editor`, which works
// without it. What it has in its stead is a text area too, under the same name, so that the browser sends, keeps and
// reads out what is in it as ever.
import { createEditor } from 'prism-code-editor';
import { matchBrackets } from 'prism-code-editor/match-brackets';
import { defaultCommands } from 'prism-code-editor/commands';
import 'prism-code-editor/prism/languages/bash';
import 'prism-code-editor/prism/languages/c';
import 'prism-code-editor/prism/languages/cpp';
import 'prism-code-editor/prism/languages/css';
import 'prism-code-editor/prism/languages/go';
import 'prism-code-editor/prism/languages/java';
import 'prism-code-editor/prism/languages/javascript';
import 'prism-code-editor/prism/languages/json';
import 'prism-code-editor/prism/languages/markdown';
import 'prism-code-editor/prism/languages/markup';
import 'prism-code-editor/prism/languages/python';
import 'prism-code-editor/prism/languages/rust';
import 'prism-code-editor/prism/languages/toml';
import 'prism-code-editor/prism/languages/typescript';
import 'prism-code-editor/prism/languages/yaml';
import 'prism-code-editor/languages/clike';
import 'prism-code-editor/languages/python';

// With every key the whole text is gone through: what is longer stays in the plain text area.
const CHARACTERS_MAX = 200_000;

const ENDINGS = {
  bash: 'bash sh zsh', c: 'c h', cpp: 'cc cpp cxx hh hpp hxx', css: 'css', go: 'go', java: 'java', javascript: 'cjs js jsx mjs',
  json: 'ipynb json', markdown: 'markdown md mdown', markup: 'htm html svg vue xhtml xml', python: 'py pyi pyw', rust: 'rs', toml: 'toml',
  typescript: 'cts mts ts tsx', yaml: 'yaml yml',
};

// The language of a file by its name.
const languageOf = (path) => {
  const ending = path.includes('.') ? path.split('.').pop().toLowerCase() : '';
  return Object.keys(ENDINGS).find((name) => ENDINGS[name].split(' ').includes(ending)) ?? 'text';
};

// How lines begin that are indented: with a tab where most do, else with as many spaces as the least.
const indentationOf = (text) => {
  const begins = text.match(/^[\t ]+(?=\S)/gm) ?? [];
  const tabs = begins.filter((begin) => begin.startsWith('\t'));
  const widths = begins.map((begin) => begin.length).filter((width) => width > 1);
  const width = widths.length ? Math.min(...widths.slice(0, 10_000), 8) : 4;
  return tabs.length * 2 > begins.length ? { insertSpaces: false, tabSize: 4 } : { insertSpaces: true, tabSize: width };
};

for (const area of document.querySelectorAll('textarea[data-editor]')) {
  if (area.value.length > CHARACTERS_MAX) continue;
  const path = document.getElementById('path');
  const host = document.createElement('div');
  host.className = 'editor';
  area.before(host);
  const editor = createEditor(
    host,
    { value: area.value, language: languageOf(path?.value ?? ''), ...indentationOf(area.value) },
    matchBrackets(),
    defaultCommands(),
  );
  const { textarea } = editor;
  for (const { name, value } of area.attributes) {
    if (['id', 'name', 'aria-invalid'].includes(name)) textarea.setAttribute(name, value);
  }
  const hint = document.getElementById('text-keys');
  hint.hidden = false;
  const described = [area.getAttribute('aria-describedby'), hint.id].filter(Boolean).join(' ');
  textarea.setAttribute('aria-describedby', described);
  area.remove();
  path?.addEventListener('change', () => editor.setOptions({ language: languageOf(path.value) }));
}
