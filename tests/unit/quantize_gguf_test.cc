#include "quant/quantize_gguf.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "base/os/files.h"
#include "load/load.h"
#include "support/gguf_builder.h"
#include "support/process.h"
#include "tensor/block_quantize.h"
#include "test_paths.h"

namespace polaris {
namespace {

using test::GgufBuilder;
using test::TemporaryFolder;
using test::TinyLlama;

QuantizeOptions with_scheme(std::string_view name) {
  QuantizeOptions options;
  options.scheme = find_quant_scheme(name);
  options.threads = 2;
  return options;
}

Model load(const std::string& path) {
  auto model = load_model(path, OpSet::builtin());
  REQUIRE_MESSAGE(model.ok(), (model ? "" : model.error().message()));
  return model.take();
}

const Weight& weight_of(const Model& model, std::string_view name) {
  const auto at = std::find_if(model.weights.begin(), model.weights.end(),
                               [&](const Weight& w) { return w.name == name; });
  REQUIRE(at != model.weights.end());
  return *at;
}

std::string write(const TemporaryFolder& folder, const std::string& name, const GgufBuilder& b) {
  REQUIRE(write_file(folder.file(name), b.file()).ok());
  return folder.file(name);
}

std::string error_of(const std::string& from, const std::string& to,
                     const QuantizeOptions& options) {
  const auto report = quantize_gguf(from, to, options);
  return report ? "" : report.error().message();
}

void contains(const std::string& text, std::string_view part) {
  INFO(text);
  CHECK(text.find(part) != std::string::npos);
}

std::string floats(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), 4 * values.size()};
}

TEST_CASE("a model is written with its matrices in blocks and all else as it was") {
  const TemporaryFolder folder;
  TinyLlama sizes;
  sizes.width = 256;
  sizes.feed_forward = 288;  // no whole blocks of 256
  GgufBuilder b = test::tiny_llama(sizes);
  b.add_u32("general.file_type", 0);
  b.add_u32("general.alignment", 64);
  b.alignment = 64;
  const std::string from = write(folder, "from.gguf", b);
  const std::string to = folder.file("to.gguf");
  const auto report = quantize_gguf(from, to, with_scheme("q4_k_m"));
  REQUIRE_MESSAGE(report.ok(), (report ? "" : report.error().message()));
  const Model before = load(from);
  const Model after = load(to);
  CHECK(after.find("main") != nullptr);
  CHECK(std::get<std::int64_t>(after.metadata.at("general.file_type")) == 15);
  CHECK(std::get<std::int64_t>(after.metadata.at("general.quantization_version")) == 2);
  CHECK(after.metadata.size() == before.metadata.size() + 1);
  for (const auto& [key, value] : before.metadata) {
    if (key != "general.file_type") CHECK(after.metadata.at(key) == value);
  }
  CHECK(report->bytes_before == before.file_bytes);
  CHECK(report->bytes_after == after.file_bytes);
  CHECK(report->elements == before.parameter_count);
  REQUIRE(after.weights.size() == before.weights.size());
  REQUIRE(report->tensors.size() == before.weights.size());
  for (std::size_t i = 0; i < after.weights.size(); ++i) {
    const Weight& weight = after.weights[i];
    CAPTURE(weight.name);
    CHECK(weight.name == before.weights[i].name);
    CHECK(weight.shape == before.weights[i].shape);
    CHECK(report->tensors[i].name == weight.name);
    CHECK(report->tensors[i].from == before.weights[i].storage);
    CHECK(report->tensors[i].to == weight.storage);
    if (weight.storage == "f32") {
      CHECK(std::ranges::equal(weight.constant->data.bytes(),
                               before.weights[i].constant->data.bytes()));
    }
  }
  CHECK(weight_of(after, "blk.0.attn_norm.weight").storage == "f32");
  CHECK(weight_of(after, "blk.0.attn_q.weight").storage == "q4_k");
  CHECK(weight_of(after, "blk.0.ffn_down.weight").storage == "q5_0");
  CHECK(weight_of(after, "output.weight").storage == "q6_k");
  // Its blocks are those of its values, whichever thread made them.
  const Weight& query = weight_of(after, "blk.1.attn_q.weight");
  const Weight& plain = weight_of(before, "blk.1.attn_q.weight");
  std::vector<std::byte> blocks(query.constant->data.bytes().size());
  quantize_blocks(BlockFormat::kQ4_K, plain.constant->data.data<float>(), plain.shape.elements(),
                  blocks.data());
  CHECK(std::ranges::equal(query.constant->data.bytes(), blocks));
}

TEST_CASE("experts are quantized as the matrices that they are, their router is not") {
  const TemporaryFolder folder;
  const std::string from = std::string(test::kSourceDir) + "/tests/data/decoders/qwen3moe.gguf";
  const std::string to = folder.file("to.gguf");
  const auto report = quantize_gguf(from, to, with_scheme("q8_0"));
  REQUIRE_MESSAGE(report.ok(), (report ? "" : report.error().message()));
  const Model before = load(from);
  const Model after = load(to);
  CHECK(after.find("main") != nullptr);
  CHECK(weight_of(after, "blk.0.ffn_gate_inp.weight").storage == "f32");
  for (const char* name : {"blk.0.ffn_gate_exps.weight", "blk.1.ffn_up_exps.weight"}) {
    const Weight& weight = weight_of(after, name);
    const Weight& plain = weight_of(before, name);
    CHECK(weight.storage == "q8_0");
    CHECK(weight.shape == Shape{6, 24, 32});
    std::vector<std::byte> blocks(weight.constant->data.bytes().size());
    quantize_blocks(BlockFormat::kQ8_0, plain.constant->data.data<float>(), plain.shape.elements(),
                    blocks.data());
    CHECK(std::ranges::equal(weight.constant->data.bytes(), blocks));
  }
  // Rows of 24 are no whole blocks.
  CHECK(weight_of(after, "blk.0.ffn_down_exps.weight").storage == "f16");
}

TEST_CASE("tensors of many pieces come out whole, with the error that is told") {
  const TemporaryFolder folder;
  constexpr std::uint64_t kRow = 96;
  constexpr std::uint64_t kRows = 7001;  // some pieces for each thread, several times, and a rest
  std::vector<float> values(kRow * kRows);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = std::sin(static_cast<float>(i));
  GgufBuilder b;
  b.add_tensor("a.weight", 0, {kRow, kRows}, floats(values));
  const std::string from = write(folder, "from.gguf", b);
  for (const auto& [scheme, bits] : {std::pair{"q8_0", 8.5}, {"f16", 16.0}, {"bf16", 16.0}}) {
    CAPTURE(scheme);
    std::int64_t done = 0;
    QuantizeOptions options = with_scheme(scheme);
    options.progress = [&](std::int64_t now, std::int64_t all) {
      CHECK(now > done);
      CHECK(all == static_cast<std::int64_t>(4 * values.size()));
      done = now;
    };
    const auto report = quantize_gguf(from, folder.file("to.gguf"), options);
    REQUIRE_MESSAGE(report.ok(), (report ? "" : report.error().message()));
    CHECK(done == static_cast<std::int64_t>(4 * values.size()));
    const Model after = load(folder.file("to.gguf"));
    CHECK(static_cast<double>(after.weights[0].bytes) * 8 / static_cast<double>(values.size()) ==
          doctest::Approx(bits));
    // And back again: what is in blocks is taken only with leave.
    options = with_scheme("f32");
    options.allow_requantize = true;
    const auto back = quantize_gguf(folder.file("to.gguf"), folder.file("back.gguf"), options);
    REQUIRE_MESSAGE(back.ok(), (back ? "" : back.error().message()));
    CHECK(back->tensors[0].relative_error == 0);
    const Model whole = load(folder.file("back.gguf"));
    double error = 0;
    double squares = 0;
    const float* got = whole.weights[0].constant->data.data<float>();
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double off = static_cast<double>(got[i]) - static_cast<double>(values[i]);
      error += off * off;
      squares += static_cast<double>(values[i]) * static_cast<double>(values[i]);
    }
    CHECK(error > 0);
    CHECK(report->tensors[0].relative_error == doctest::Approx(std::sqrt(error / squares)));
    CHECK(report->tensors[0].relative_error < 0.01);
  }
}

TEST_CASE("a model in several files becomes one") {
  const TemporaryFolder folder;
  const GgufBuilder whole = test::tiny_llama({});
  const auto parts = whole.split(2);
  write(folder, "m-00001-of-00002.gguf", parts[0]);
  write(folder, "m-00002-of-00002.gguf", parts[1]);
  const std::string from = folder.file("m-00001-of-00002.gguf");
  const auto report = quantize_gguf(from, folder.file("one.gguf"), with_scheme("copy"));
  REQUIRE_MESSAGE(report.ok(), (report ? "" : report.error().message()));
  const auto bytes = whole.file();
  CHECK(read_file(folder.file("one.gguf"), 1 << 24).take() ==
        std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  const std::string second = folder.file("m-00002-of-00002.gguf");
  contains(error_of(from, second, with_scheme("q8_0")), "is a file of the model itself");
}

TEST_CASE("what cannot be quantized is refused, and the file there is left alone") {
  const TemporaryFolder folder;
  const std::string to = folder.file("to.gguf");
  REQUIRE(write_file(to, "what was there").ok());
  TinyLlama sizes;
  sizes.width = sizes.feed_forward = 256;
  sizes.weight_type = 8;
  const std::string blocks = write(folder, "blocks.gguf", test::tiny_llama(sizes));
  contains(error_of(blocks, to, with_scheme("q4_0")),
           "got q8_0, wanted f32, f16 or bf16: quantizing a second time");
  contains(error_of(blocks, blocks, with_scheme("q8_0")), "is a file of the model itself");
  CHECK(error_of(blocks, folder.file("same.gguf"), with_scheme("q8_0")).empty());

  GgufBuilder unread;
  unread.add_tensor("a.weight", 15, {256, 2}, std::string(584, 'k'));
  QuantizeOptions leave = with_scheme("q4_0");
  leave.allow_requantize = true;
  contains(error_of(write(folder, "unread.gguf", unread), to, leave),
           "tensor 'a.weight', got q8_k");

  for (const float bad : {NAN, INFINITY, 1e30f}) {
    for (const char* scheme : {"q4_0", "q4_k_s"}) {
      std::vector<float> values(512, 1.0f);
      values[300] = bad;
      GgufBuilder b;
      b.add_tensor("a.weight", 0, {256, 2}, floats(values));
      contains(error_of(write(folder, "bad.gguf", b), to, with_scheme(scheme)),
               "tensor 'a.weight': [quantize] a value is no finite number, or too large");
    }
  }
  GgufBuilder large;
  large.add_tensor("a.weight", 0, {256, 2}, floats(std::vector<float>(512, 70000.0f)));
  const std::string large_path = write(folder, "large.gguf", large);
  contains(error_of(large_path, to, with_scheme("f16")), "too large for its storage");
  CHECK(error_of(large_path, folder.file("fine.gguf"), with_scheme("bf16")).empty());

  const std::string text = folder.file("text.txt");
  REQUIRE(write_file(text, "no model").ok());
  contains(error_of(text, to, with_scheme("q4_0")), "is no GGUF file");
  CancelToken cancel;
  cancel.cancel();
  QuantizeOptions stopped = with_scheme("q4_0");
  stopped.cancel = &cancel;
  contains(error_of(large_path, to, stopped), "stopped");
  CHECK(read_file(to, 100).take() == "what was there");
  const auto names = list_folder(folder.path(), 100).take();
  for (const std::string& name : names) {
    CHECK(name.find(".part") == std::string::npos);
  }
}

TEST_CASE("a damaged file is refused, or what is written of it is sound") {
  const TemporaryFolder folder;
  TinyLlama sizes;
  sizes.layers = 1;
  const auto sound = test::tiny_llama(sizes).file();
  std::uint32_t random = 1;
  const auto next = [&](std::size_t below) {
    random = random * 1664525u + 1013904223u;
    return static_cast<std::size_t>(random >> 8) % below;
  };
  int refused = 0;
  constexpr int kMutants = 300;
  for (int i = 0; i < kMutants; ++i) {
    auto file = sound;
    // Keys and the list of tensors, where counts, sizes and types stand.
    for (std::size_t n = next(3) + 1; n > 0; --n) file[next(2200)] = std::byte(next(256));
    if (i % 4 == 0) file.resize(next(file.size()));
    REQUIRE(write_file(folder.file("from.gguf"), file).ok());
    QuantizeOptions options = with_scheme(i % 2 == 0 ? "q8_0" : "copy");
    options.allow_requantize = true;
    const auto report = quantize_gguf(folder.file("from.gguf"), folder.file("to.gguf"), options);
    if (!report) {
      ++refused;
      continue;
    }
    const auto again = load_model(folder.file("to.gguf"), OpSet::builtin());
    const auto first = load_model(folder.file("from.gguf"), OpSet::builtin());
    CHECK(again.ok() == first.ok());
  }
  CHECK(refused > kMutants / 4);
  CHECK(refused < kMutants);
}

}  // namespace
}  // namespace polaris
