// Pushes, clones, deepens and fetches with isomorphic-git, in the current directory.
// The addresses are in ADMIN and STRANGER; what it made is told on the standard output, as JSON.

import fs from "node:fs";
import { strict as assert } from "node:assert";
import git from "isomorphic-git";
import http from "isomorphic-git/http/node";

const author = { name: "A U Thor", email: "author@example.org" };
const { ADMIN, STRANGER } = process.env;

async function commit(dir, number) {
  fs.mkdirSync(`${dir}/sub`, { recursive: true });
  fs.writeFileSync(`${dir}/sub/file${number % 5}`, `line ${number}\n`.repeat(200));
  await git.add({ fs, dir, filepath: `sub/file${number % 5}` });
  return git.commit({ fs, dir, author, message: `Change ${number}` });
}

await git.init({ fs, dir: "work", defaultBranch: "main" });
for (let number = 0; number < 20; number += 1) await commit("work", number);
await git.annotatedTag({ fs, dir: "work", ref: "v1", message: "Tagged", tagger: author });
for (const ref of ["main", "v1"]) {
  const pushed = await git.push({ fs, http, dir: "work", url: ADMIN, ref });
  assert(pushed.ok, JSON.stringify(pushed));
}

await git.clone({ fs, http, dir: "clone", url: STRANGER, noCheckout: true });
await git.clone({ fs, http, dir: "shallow", url: STRANGER, noCheckout: true, depth: 2, singleBranch: true });
const few = await git.log({ fs, dir: "shallow" });
assert.equal(few.length, 2);

const last = await commit("work", 20);
await git.push({ fs, http, dir: "work", url: ADMIN, ref: "main" });
for (const dir of ["clone", "shallow"]) {
  const fetched = await git.fetch({ fs, http, dir, url: STRANGER, ref: "main" });
  assert.equal(fetched.fetchHead, last);
}

const refused = await git
  .push({ fs, http, dir: "clone", url: STRANGER, ref: "main", remoteRef: "refs/heads/other" })
  .then(() => "pushed", (error) => error.code);
assert.equal(refused, "HttpError");
const behind = await git
  .push({ fs, http, dir: "clone", url: ADMIN, ref: "main" })
  .then(() => "pushed", (error) => error.code);
assert.equal(behind, "PushRejectedError");
const forced = await git.push({ fs, http, dir: "clone", url: ADMIN, ref: "main", remoteRef: "refs/heads/old" });
assert(forced.ok);
await git.deleteRemote({ fs, dir: "clone", remote: "origin" });
const gone = await git.push({ fs, http, dir: "work", url: ADMIN, ref: "main", remoteRef: "refs/heads/old", delete: true });
assert(gone.ok);
console.log(JSON.stringify({ last }));
