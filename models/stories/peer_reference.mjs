// Writes stories-{f32,q8_0,q4_0}.llamacpp.json and .llamacpp-greedy.txt: what llama.cpp, through
// node-llama-cpp on the CPU, says greedily, with its raw logits for the most likely tokens.
//
//   npm install --prefix build/peers node-llama-cpp
//   node models/stories/peer_reference.mjs [--peers build/peers] [--threads 1]
import fs from "node:fs";
import path from "node:path";
import {createRequire} from "node:module";
import {fileURLToPath, pathToFileURL} from "node:url";
import {parseArgs} from "node:util";

const {values: args} = parseArgs({options: {
    peers: {type: "string", default: "build/peers"},
    threads: {type: "string", default: "1"},
}});
const here = path.dirname(fileURLToPath(import.meta.url));
const require = createRequire(path.resolve(args.peers, "package.json"));
const entry = require.resolve("node-llama-cpp");
const {getLlama} = await import(pathToFileURL(entry));
const packageFile = path.join(path.dirname(entry), "..", "package.json");
const version = JSON.parse(fs.readFileSync(packageFile, "utf8")).version;

const kTop = 8;
const kContext = 512;
const kPrompt = "Once upon a time";
const kMorePrompts = ["Lily and Tom", "One day, a little bear", "There once was a fox"];

const round = (x) => Number(x.toFixed(5));

/** Greedy generation to the end of the story or of the context; one decode per token. */
async function generate(model, context, prompt) {
    const sequence = context.getSequence();
    const promptIds = [model.tokens.bos, ...model.tokenize(prompt)];
    const run = {prompt, prompt_ids: promptIds, ids: [], text: "", margins: [], log_total: [],
                 top_ids: [], top_logits: []};
    const ask = {generateNext: {logits: {filter: {tokens: [], includeTop: kTop}},
                                totalLogitWeight: true,
                                options: {temperature: 1, topK: 0, topP: 1}}};
    let input = [...promptIds.slice(0, -1), [promptIds.at(-1), ask]];
    while (promptIds.length + run.ids.length < kContext) {
        const {next} = (await sequence.controlledEvaluate(input)).at(-1);
        const top = [...next.logits].sort((a, b) => b[1] - a[1]);
        run.ids.push(top[0][0]);
        run.margins.push(round(top[0][1] - top[1][1]));
        run.log_total.push(round(Math.log(next.totalLogitWeight)));
        run.top_ids.push(top.map(([id]) => id));
        run.top_logits.push(top.map(([, logit]) => round(logit)));
        if (top[0][0] === model.tokens.eos)
            break;
        input = [[top[0][0], ask]];
    }
    run.text = model.detokenize([...promptIds.slice(1), ...run.ids]);
    await checkSampler(model, sequence, run);
    sequence.dispose();
    return run;
}

/** The peer's own greedy loop must give the same tokens. */
async function checkSampler(model, sequence, run) {
    await sequence.clearHistory();
    const ids = [];
    for await (const id of sequence.evaluate(run.prompt_ids,
                                             {temperature: 0, yieldEogToken: true})) {
        ids.push(id);
        if (ids.length === run.ids.length)
            break;
    }
    if (ids.join() !== run.ids.join())
        throw new Error(`greedy sampler differs on "${run.prompt}": ${ids}`);
}

const llama = await getLlama({gpu: false, build: "never", logLevel: "error",
                              maxThreads: Number(args.threads)});
for (const name of ["f32", "q8_0", "q4_0"]) {
    const file = `stories-${name}`;
    const model = await llama.loadModel({modelPath: path.join(here, `${file}.gguf`)});
    const context = await model.createContext({contextSize: kContext, batchSize: kContext,
                                               threads: Number(args.threads)});
    const main = await generate(model, context, kPrompt);
    const more = [];
    for (const prompt of kMorePrompts) {
        const {log_total, top_ids, top_logits, ...run} = await generate(model, context, prompt);
        more.push(run);
    }
    const out = {peer: `llama.cpp ${llama.llamaCppRelease.release} via node-llama-cpp ${version}`,
                 model: `${file}.gguf`, context: kContext, kv_cache: "f16",
                 eos: model.tokens.eos, ...main, more};
    const lines = Object.entries(out).map(([k, v]) => `${JSON.stringify(k)}: ${JSON.stringify(v)}`);
    fs.writeFileSync(path.join(here, `${file}.llamacpp.json`), `{\n${lines.join(",\n")}\n}\n`);
    const ids = main.prompt_ids.slice(1).concat(main.ids);
    fs.writeFileSync(path.join(here, `${file}.llamacpp-greedy.txt`),
                     `tokens ${ids.slice(0, 20).join()}\n${main.text}\n`);
    console.log(`--- ${file}: ${main.ids.length} tokens, least margin ` +
                `${Math.min(...main.margins)}, ${main.margins.filter((m) => m < 0.1).length} ` +
                `of them below 0.1\n${main.text}`);
    for (const run of more)
        console.log(`--- ${file}: ${run.ids.length} tokens, least margin ` +
                    `${Math.min(...run.margins)}\n${run.text}`);
    await model.dispose();
}
process.exit(0);
