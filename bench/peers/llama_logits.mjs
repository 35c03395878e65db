// The logits of llama.cpp (through npm node-llama-cpp, CPU) after each of the given ids.
//
//   node bench/peers/llama_logits.mjs MODEL.gguf IDS.json OUT.json [ADAPTER.gguf=SCALE ...]
//
// OUT.json is a list with one list of logits, by token, for each id. POLARIS_PEERS names the folder
// that has node-llama-cpp, build/peers without it.
import fs from "node:fs";
import path from "node:path";
import {createRequire} from "node:module";
import {pathToFileURL} from "node:url";

const [file, idsFile, out, ...loras] = process.argv.slice(2);
if (out === undefined) {
    console.error("usage: node bench/peers/llama_logits.mjs MODEL.gguf IDS.json OUT.json " +
        "[ADAPTER.gguf=SCALE ...]");
    process.exit(2);
}
const peers = path.resolve(process.env.POLARIS_PEERS ?? "build/peers", "package.json");
const {getLlama} = await import(pathToFileURL(createRequire(peers).resolve("node-llama-cpp")));

const ids = JSON.parse(fs.readFileSync(idsFile, "utf8"));
const llama = await getLlama({gpu: false, build: "never", logLevel: "error", maxThreads: 1});
const model = await llama.loadModel({modelPath: path.resolve(file)});
// One thread: several would wait for each other longer than they compute.
const adapters = loras.map((lora) => {
    const at = lora.lastIndexOf("=");
    return {filePath: path.resolve(lora.slice(0, at)), scale: Number(lora.slice(at + 1))};
});
const context = await model.createContext({
    contextSize: Math.max(64, ids.length + 8), threads: {ideal: 1, min: 1},
    lora: adapters.length > 0 ? {adapters} : undefined});
const sequence = context.getSequence();
const rows = [];
for (const id of ids) {
    const [result] = await sequence.controlledEvaluate([[id, {generateNext: {logits: true}}]]);
    const row = [];
    for (const [token, logit] of result.next.logits)
        row[token] = logit;
    rows.push(row);
}
fs.writeFileSync(out, JSON.stringify(rows));
console.log(`llama.cpp ${llama.llamaCppRelease.release}: ${rows.length} rows of ${rows[0].length}`);
process.exit(0);
