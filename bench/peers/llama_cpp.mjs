// Times llama.cpp (through npm node-llama-cpp, CPU) on a GGUF file, for comparison with
// `polaris generate` on the same machine.
//
//   npm install --prefix build/peers node-llama-cpp
//   node bench/peers/llama_cpp.mjs models/stories/stories-q4_0.gguf --prompt-tokens 128 \
//       --generate-tokens 128 --threads 2 --runs 5 --json
//
// Each run reads a fresh prompt, then generates one token at a time, greedily and past any end of
// text. Medians over the runs are printed; one run beforehand warms up and is not counted.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import {createRequire} from "node:module";
import {pathToFileURL} from "node:url";
import {parseArgs} from "node:util";

const {values: args, positionals} = parseArgs({allowPositionals: true, options: {
    "prompt-tokens": {type: "string", default: "128"},
    "generate-tokens": {type: "string", default: "128"},
    threads: {type: "string", default: String(os.availableParallelism())},
    runs: {type: "string", default: "5"},
    peers: {type: "string", default: "build/peers"},
    json: {type: "boolean", default: false},
}});
const count = (name) => {
    const n = Number(args[name]);
    if (!Number.isInteger(n) || n < 1) {
        console.error(`llama_cpp.mjs: --${name} must be a positive integer, got ${args[name]}`);
        process.exit(2);
    }
    return n;
};
const promptTokens = count("prompt-tokens"), generateTokens = count("generate-tokens");
const threads = count("threads"), runs = count("runs");
if (positionals.length !== 1) {
    console.error("usage: node bench/peers/llama_cpp.mjs MODEL.gguf [--prompt-tokens N] " +
                  "[--generate-tokens N] [--threads N] [--runs N] [--peers DIR] [--json]");
    process.exit(2);
}
const file = positionals[0];
const require = createRequire(path.resolve(args.peers, "package.json"));
const entry = require.resolve("node-llama-cpp");
const {getLlama} = await import(pathToFileURL(entry));
const packageFile = path.join(path.dirname(entry), "..", "package.json");
const version = JSON.parse(fs.readFileSync(packageFile, "utf8")).version;

const median = (values) => {
    const v = values.slice().sort((a, b) => a - b), half = v.length >> 1;
    return v.length % 2 ? v[half] : (v[half - 1] + v[half]) / 2;
};

const llama = await getLlama({gpu: false, build: "never", logLevel: "error", maxThreads: threads});
const model = await llama.loadModel({modelPath: path.resolve(file)});
const context = await model.createContext({
    contextSize: promptTokens + generateTokens + 8, batchSize: Math.min(512, promptTokens),
    threads: {ideal: threads, min: threads}});
const sequence = context.getSequence();

// Ordinary story text, repeated: its content does not change the work.
const text = "Once upon a time, there was a little girl named Lily. She loved to play outside. ";
const prompt = [model.tokens.bos];
while (prompt.length < promptTokens)
    prompt.push(...model.tokenize(text));
prompt.length = promptTokens;

/** One decode per token, as a user's loop does it; the end token is fed back like any other. */
async function generate(first) {
    let token = first;
    for (let n = 0; n < generateTokens; n++) {
        const input = [[token, {generateNext: {token: true, options: {temperature: 0}}}]];
        token = (await sequence.controlledEvaluate(input))[0].next.token;
    }
}

const promptRates = [], generateRates = [];
for (let run = 0; run <= runs; run++) {
    await sequence.clearHistory();
    const start = performance.now();
    await sequence.evaluateWithoutGeneratingNewTokens(prompt);
    const read = performance.now();
    await generate(prompt[1 % prompt.length]);
    const end = performance.now();
    if (run > 0) {
        promptRates.push(promptTokens / (read - start) * 1e3);
        generateRates.push(generateTokens / (end - read) * 1e3);
    }
}
const result = {
    peer: `llama.cpp ${llama.llamaCppRelease.release} via node-llama-cpp ${version}`,
    model: file, threads, prompt_tokens: promptTokens, generate_tokens: generateTokens, runs,
    prompt_tokens_per_s: Number(median(promptRates).toFixed(2)),
    tokens_per_s: Number(median(generateRates).toFixed(2)),
    prompt_tokens_per_s_all: promptRates.map((x) => Number(x.toFixed(2))),
    tokens_per_s_all: generateRates.map((x) => Number(x.toFixed(2))),
};
if (args.json)
    console.log(JSON.stringify(result));
else
    console.log(`${result.peer}\n${file}, ${threads} threads: prompt of ${promptTokens} tokens ` +
                `at ${result.prompt_tokens_per_s} tokens/s, ${generateTokens} tokens generated ` +
                `at ${result.tokens_per_s} tokens/s (median of ${runs})`);
process.exit(0);
