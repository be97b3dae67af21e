// Builds ../files/editor.js, editor.css and editor-licences.txt: `cargo xtask editor` runs it. What it makes is in the
// source tree, so that nothing else needs Node.js.
import { build } from 'esbuild';
import { readFileSync, writeFileSync } from 'node:fs';

const { dependencies } = JSON.parse(readFileSync('package.json'));
const versions = Object.entries(dependencies).map(([name, version]) => `${name} ${version}`);
const banner = `/* ${versions.join(', ')}; licences in editor-licences.txt */`;

await build({
  entryPoints: ['editor.js', 'editor.css'],
  outdir: '../files',
  bundle: true,
  minify: true,
  charset: 'utf8',
  format: 'iife',
  target: ['es2022', 'chrome111', 'firefox113', 'safari16.2'],
  banner: { js: banner, css: banner },
  legalComments: 'none',
});
const licence = (name) => `${name} ${dependencies[name]}\n\n${readFileSync(`node_modules/${name}/LICENSE`, 'utf8').trim()}\n`;
writeFileSync('../files/editor-licences.txt', Object.keys(dependencies).map(licence).join('\n\n'));
