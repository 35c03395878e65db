// The perplexity of a text, of llama.cpp (through npm node-llama-cpp, CPU), as llama-perplexity
// defines it: chunks of CTX ids, each read alone with BOS in place of its first, the ids of the
// second half scored but for the half's first.
//
//   node bench/peers/llama_perplexity.mjs MODEL.gguf TEXT.txt CTX [CHUNKS]
//
// Prints one JSON object. POLARIS_PEERS names the folder that has node-llama-cpp, build/peers
// without it.
import fs from "node:fs";
import path from "node:path";
import {createRequire} from "node:module";
import {pathToFileURL} from "node:url";

const [file, textFile, contextText, chunksText] = process.argv.slice(2);
if (contextText === undefined) {
    console.error("usage: node bench/peers/llama_perplexity.mjs MODEL.gguf TEXT.txt CTX [CHUNKS]");
    process.exit(2);
}
const peers = path.resolve(process.env.POLARIS_PEERS ?? "build/peers", "package.json");
const {getLlama} = await import(pathToFileURL(createRequire(peers).resolve("node-llama-cpp")));

const llama = await getLlama({gpu: false, build: "never", logLevel: "error", maxThreads: 1});
const model = await llama.loadModel({modelPath: path.resolve(file)});
const size = Number(contextText);
const half = Math.floor(size / 2);
const bos = model.tokens.shouldPrependBosToken ? model.tokens.bos : null;
const ids = [...(bos == null ? [] : [bos]), ...model.tokenize(fs.readFileSync(textFile, "utf8"))];
const chunks = Math.min(Math.floor(ids.length / size), Number(chunksText ?? Infinity));
// One thread: several would wait for each other longer than they compute.
const context = await model.createContext({
    contextSize: Math.max(64, size + 8), threads: {ideal: 1, min: 1}});
const sequence = context.getSequence();
let nll = 0;
let squares = 0;
let count = 0;
for (let chunk = 0; chunk < chunks; ++chunk) {
    const part = ids.slice(chunk * size, (chunk + 1) * size);
    if (bos != null)
        part[0] = bos;
    await sequence.clearHistory();
    const input = part.slice(0, -1).map(
        (id, at) => at < half ? id : [id, {generateNext: {logits: true}}]);
    const results = await sequence.controlledEvaluate(input);
    for (let at = half; at < size - 1; ++at) {
        const logits = results[at].next.logits;
        let peak = -Infinity;
        for (const logit of logits.values())
            peak = Math.max(peak, logit);
        let sum = 0;
        for (const logit of logits.values())
            sum += Math.exp(logit - peak);
        const cost = Math.log(sum) - (logits.get(part[at + 1]) - peak);
        nll += cost;
        squares += cost * cost;
        ++count;
    }
}
const mean = nll / count;
const error = Math.sqrt(Math.max(0, squares / count - mean * mean) / (count - 1));
console.log(JSON.stringify({
    perplexity: Math.exp(mean), standard_error: Math.exp(mean) * error, mean_nll: mean,
    tokens: count, chunks, ids: ids.length, release: llama.llamaCppRelease.release}));
process.exit(0);
