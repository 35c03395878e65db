// What llama.cpp (through npm node-llama-cpp, CPU) makes of texts: their ids and embeddings.
//
//   node bench/peers/llama_embed.mjs MODEL.gguf TEXTS.json OUT.json
//
// OUT.json is a list with {"ids", "embedding"} for each text, special tokens among the ids.
// POLARIS_PEERS names the folder that has node-llama-cpp, build/peers without it.
import fs from "node:fs";
import path from "node:path";
import {createRequire} from "node:module";
import {pathToFileURL} from "node:url";

const [file, textsFile, out] = process.argv.slice(2);
if (out === undefined) {
    console.error("usage: node bench/peers/llama_embed.mjs MODEL.gguf TEXTS.json OUT.json");
    process.exit(2);
}
const peers = path.resolve(process.env.POLARIS_PEERS ?? "build/peers", "package.json");
const {getLlama} = await import(pathToFileURL(createRequire(peers).resolve("node-llama-cpp")));

const texts = JSON.parse(fs.readFileSync(textsFile, "utf8"));
const llama = await getLlama({gpu: false, build: "never", logLevel: "error", maxThreads: 1});
const model = await llama.loadModel({modelPath: path.resolve(file)});
const context = await model.createEmbeddingContext({contextSize: 64, batchSize: 64, threads: 1});
const rows = [];
for (const text of texts) {
    const ids = model.tokenize(text);
    context._prepareInput(ids);  // puts the special tokens around them
    const {vector} = await context.getEmbeddingFor(ids);
    rows.push({ids, embedding: Array.from(vector)});
}
fs.writeFileSync(out, JSON.stringify(rows));
console.log(`llama.cpp ${llama.llamaCppRelease.release}: ${rows.length} texts`);
process.exit(0);
