// Writes tests/data/grammar_expected.tsv: whether llama.cpp takes texts, and texts that differ from
// them by a few characters, for texts of the grammars in tests/data/grammars. Run as
//   node tests/data/make_grammars.mjs PEERS
// PEERS being the folder with node_modules that tools/setup.sh peers makes.
import fs from "node:fs";
import path from "node:path";
import {fileURLToPath, pathToFileURL} from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url));
const peers = path.resolve(process.argv[2]);
const index = path.join(peers, "node_modules/node-llama-cpp/dist/index.js");
const {getLlama} = await import(pathToFileURL(index));

const TEXTS_PER_GRAMMAR = 150;
let state = 20261128;
/// The same numbers in every run.
function below(count) {
  state = (Math.imul(state, 1103515245) + 12345) >>> 0;
  return Math.floor((state / 4294967296) * count);
}

/// A text with one to three characters gone, doubled, in place of others or beside them.
function changed(text, letters) {
  const out = [...text];
  for (let left = 1 + below(3); left > 0; --left) {
    const at = below(out.length + 1);
    const letter = letters[below(letters.length)];
    switch (below(4)) {
      case 0: out.splice(at, 1); break;
      case 1: out.splice(at, 0, letter); break;
      case 2: out.splice(at, 1, letter); break;
      default: out.splice(at, 0, ...out.slice(at, at + 1 + below(6)));
    }
  }
  return out.join("");
}

const seeds = JSON.parse(fs.readFileSync(path.join(here, "grammars/texts.json"), "utf8"));
const llama = await getLlama({gpu: false, build: "never", logLevel: "error"});
const lines = [
  "# grammar, whether llama.cpp takes the text, the text as JSON; by make_grammars.mjs",
];
for (const [name, texts] of Object.entries(seeds)) {
  const source = fs.readFileSync(path.join(here, "grammars", name + ".gbnf"), "utf8");
  const grammar = await llama.createGrammar({grammar: source});
  const letters = [...new Set(texts.join(""))];
  const all = new Set(texts);
  while (all.size < TEXTS_PER_GRAMMAR) all.add(changed(texts[below(texts.length)], letters));
  for (const text of all) {
    if (text.includes("\0")) continue; // its reader of texts ends there
    lines.push([name, grammar._testText(text) ? "yes" : "no", JSON.stringify(text)].join("\t"));
  }
}
fs.writeFileSync(path.join(here, "grammar_expected.tsv"), lines.join("\n") + "\n");
