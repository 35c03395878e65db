#include <doctest/doctest.h>

#include <cstring>
#include <numeric>
#include <set>

#include "base/strings.h"
#include "load/gguf/gguf_file.h"
#include "load/load.h"
#include "support/gguf_builder.h"
#include "support/shared_files.h"
#include "tensor/block_format.h"

namespace polaris {
namespace {

using test::GgufBuilder;
using test::TinyLlama;

Result<Model> load_bytes(std::vector<std::byte> bytes, const LoadOptions& options = {}) {
  Source source = Source::in_memory("test.gguf", std::move(bytes));
  return load_model(source, OpSet::builtin(), options);
}

std::string shape_text(const Shape& shape) {
  std::string out;
  for (std::int64_t dim : shape) out += (out.empty() ? "" : ",") + std::to_string(dim);
  return out;
}

TEST_CASE("names, types, shapes and bytes of real files are what the gguf package says") {
  std::set<std::string> seen;
  for (const auto& row : test::read_table("data/gguf_expected.tsv")) {
    if (row[1] != "M") continue;
    const auto path = test::shared_file("models/gguf/" + row[0]);
    if (!path) return;
    const auto model = load_model(*path, OpSet::builtin());
    REQUIRE_MESSAGE(model.ok(), (model ? "" : model.error().message()));
    CHECK(model->format == "gguf");
    CHECK(model->metadata.size() == static_cast<std::size_t>(*parse_i64(row[2])) + 1);
    REQUIRE(model->weights.size() == static_cast<std::size_t>(*parse_i64(row[3])));
    std::size_t at = 0;
    for (const auto& t : test::read_table("data/gguf_expected.tsv")) {
      if (t[1] != "T" || t[0] != row[0]) continue;
      const Weight& weight = model->weights[at++];
      CHECK(weight.name == t[2]);
      CHECK(weight.storage == t[3]);
      CHECK(shape_text(weight.shape) == t[4]);
      CHECK(weight.bytes == *parse_i64(t[5]));
      REQUIRE(weight.constant);
      std::int64_t sum = 0;
      for (std::byte b : weight.constant->data.bytes()) sum += std::to_integer<int>(b);
      CHECK(sum == *parse_i64(t[6]));
    }
    CHECK((model->find("main") != nullptr) == row[0].starts_with("stories260K/"));
    CHECK(model->no_function_reason.empty() == row[0].starts_with("stories260K/"));
  }
}

TEST_CASE("metadata keeps its types") {
  GgufBuilder b;
  b.add_u32("u32", 7);
  b.add_f32("f32", 0.5f);
  b.add_bool("bool", true);
  b.add_text("text", std::string_view("a\0b", 3));
  b.add_texts("texts", {"x", "", "yz"});
  b.add_raw("u8", 0, "\xff");
  b.add_raw("i8", 1, "\xff");
  b.add_raw("i16", 3, std::string_view("\xfe\xff", 2));
  b.add_raw("u64", 10, std::string_view("\1\0\0\0\1\0\0\0", 8));
  b.add_raw("i64", 11, std::string(8, '\xff'));
  b.add_raw("f64", 12, std::string_view("\0\0\0\0\0\0\xf8\x3f", 8));
  b.add_raw("list", 9, std::string_view("\5\0\0\0\2\0\0\0\0\0\0\0\1\0\0\0\xff\xff\xff\xff", 20));
  b.add_raw("reals", 9, std::string_view("\6\0\0\0\1\0\0\0\0\0\0\0\0\0\x80\x3f", 16));
  const auto file = b.file();
  const auto parsed = gguf::parse_gguf(file);
  REQUIRE_MESSAGE(parsed.ok(), (parsed ? "" : parsed.error().message()));
  const Metadata& m = parsed->metadata;
  using Value = MetadataValue;
  CHECK(m.at("u32") == Value(std::int64_t{7}));
  CHECK(m.at("f32") == Value(0.5));
  CHECK(m.at("bool") == Value(true));
  CHECK(m.at("text") == Value(std::string("a\0b", 3)));
  CHECK(m.at("texts") == Value(std::vector<std::string>{"x", "", "yz"}));
  CHECK(m.at("u8") == Value(std::int64_t{255}));
  CHECK(m.at("i8") == Value(std::int64_t{-1}));
  CHECK(m.at("i16") == Value(std::int64_t{-2}));
  CHECK(m.at("u64") == Value((std::int64_t{1} << 32) + 1));
  CHECK(m.at("i64") == Value(std::int64_t{-1}));
  CHECK(m.at("f64") == Value(1.5));
  CHECK(m.at("list") == Value(std::vector<std::int64_t>{1, -1}));
  CHECK(m.at("reals") == Value(std::vector<double>{1.0}));
}

TEST_CASE("plain and block tensors view the file under reversed dims") {
  GgufBuilder b;
  b.add_tensor("half", 1, {3, 2}, std::string(12, 'h'));
  b.add_tensor("eight", 8, {32, 2}, std::string(68, 'e'));
  b.add_tensor("bf16", 30, {4}, std::string(8, 'b'));
  b.add_tensor("ints", 26, {2, 1, 1, 1}, std::string(8, 'i'));
  b.add_tensor("k", 15, {256}, std::string(292, 'k'));
  for (int i = 0; i < kBlockFormatCount; ++i) {
    const BlockFormatInfo& info = block_format_info(static_cast<BlockFormat>(i));
    b.add_tensor(info.name, test::kGgmlIds[i], {static_cast<std::uint64_t>(info.block_elements), 3},
                 std::string(static_cast<std::size_t>(3 * info.block_bytes), 'b'));
  }
  const auto model = load_bytes(b.file());
  REQUIRE_MESSAGE(model.ok(), (model ? "" : model.error().message()));
  REQUIRE(model->weights.size() == 5 + kBlockFormatCount);
  CHECK(model->weights[0].constant->data.type() == TensorType{DType::kF16, {2, 3}, {}});
  CHECK(model->weights[1].constant->data.type() ==
        TensorType{DType::kF32, {2, 32}, Encoding::of(BlockFormat::kQ8_0)});
  CHECK(model->weights[2].constant->data.dtype() == DType::kBF16);
  CHECK(model->weights[3].constant->data.shape() == Shape{1, 1, 1, 2});
  CHECK(model->weights[4].constant == nullptr);
  CHECK(model->weights[4].storage == "q8_k");
  std::int64_t in_blocks = 0;
  for (int i = 0; i < kBlockFormatCount; ++i) {
    const auto format = static_cast<BlockFormat>(i);
    const std::int64_t width = block_format_info(format).block_elements;
    const Weight& weight = model->weights[static_cast<std::size_t>(5 + i)];
    CHECK(weight.storage == block_format_info(format).name);
    REQUIRE(weight.constant != nullptr);
    CHECK(weight.constant->data.type() ==
          TensorType{DType::kF32, {3, width}, Encoding::of(format)});
    in_blocks += 3 * width;
  }
  CHECK(model->parameter_count == 6 + 64 + 4 + 2 + 256 + in_blocks);
  CHECK(model->find("main") == nullptr);
  CHECK(model->no_function_reason == "the file names no architecture");
}

std::string error_of(const GgufBuilder& b) {
  const auto model = load_bytes(b.file());
  return model ? "" : model.error().message();
}

TEST_CASE("containers that cannot be are refused by name") {
  const auto contains = [](const std::string& text, std::string_view part) {
    INFO(text);
    CHECK(text.find(part) != std::string::npos);
  };
  GgufBuilder version;
  version.version = 1;
  contains(error_of(version), "version, got 1, wanted 2 or 3");
  version.version = 0x03000000;
  contains(error_of(version), "big-endian");
  GgufBuilder twice;
  twice.add_u32("k", 1);
  twice.add_u32("k", 2);
  contains(error_of(twice), "key 'k' appears twice");
  GgufBuilder same;
  same.add_tensor("w", 0, {1}, "abcd");
  same.add_tensor("w", 0, {1}, "abcd");
  contains(error_of(same), "tensor 'w' appears twice");
  GgufBuilder kind;
  kind.add_raw("k", 13, "");
  contains(error_of(kind), "type of the value of 'k', got 13");
  GgufBuilder nested;
  nested.add_raw("k", 9, std::string_view("\x09\0\0\0\1\0\0\0\0\0\0\0", 12));
  contains(error_of(nested), "array of arrays");
  GgufBuilder huge;
  huge.add_raw("k", 9, std::string_view("\4\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff", 12));
  contains(error_of(huge), "more than fit");
  GgufBuilder align;
  align.add_u32("general.alignment", 24);
  contains(error_of(align), "power of two");
  GgufBuilder dims;
  dims.add_tensor("w", 0, {1, 1, 1, 1, 1}, "abcd");
  contains(error_of(dims), "dims, got 5");
  GgufBuilder overflow;
  overflow.add_tensor("w", 0, {1ull << 40, 1ull << 40}, "abcd");
  contains(error_of(overflow), "tensor 'w'");
  GgufBuilder negative;
  negative.add_tensor("w", 0, {1ull << 63}, "abcd");
  contains(error_of(negative), "no size");
  GgufBuilder past;
  past.add_tensor("w", 0, {1000}, "abcd");
  contains(error_of(past), "past the end");
  GgufBuilder blocks;
  blocks.add_tensor("w", 2, {33}, std::string(64, 'x'));
  contains(error_of(blocks), "whole q4_0 blocks");
  GgufBuilder type;
  type.add_tensor("w", 4, {32}, std::string(64, 'x'));
  contains(error_of(type), "type, got 4");
  contains(error_of(type), "'test.gguf'");
}

TEST_CASE("tensors that overlap are refused by name, those without elements are not") {
  GgufBuilder b;
  b.add_tensor("a", 0, {16}, std::string(64, 'a'));
  b.add_tensor("empty", 0, {0}, "");
  b.add_tensor("b", 0, {8}, std::string(32, 'b'));
  const auto sound = b.file();
  REQUIRE(gguf::parse_gguf(sound).ok());
  // The offset of "b", behind its name, one dim and its type.
  const std::string_view name("\1\0\0\0\0\0\0\0b", 9);
  const std::string_view text(reinterpret_cast<const char*>(sound.data()), sound.size());
  const std::size_t offset = text.find(name) + name.size() + 4 + 8 + 4;
  const auto with_offset = [&](std::uint64_t value) {
    auto file = sound;
    std::memcpy(file.data() + offset, &value, sizeof value);
    const auto parsed = gguf::parse_gguf(file);
    return parsed ? std::string() : parsed.error().message();
  };
  CHECK(with_offset(64).empty());
  CHECK(with_offset(32) ==
        "[gguf] tensor 'b' begins within the bytes of 'a', wanted tensors that do not overlap");
  CHECK(with_offset(0).find("do not overlap") != std::string::npos);
}

TEST_CASE("a Llama file becomes a graph of ordinary ops") {
  std::vector<std::uint32_t> types = {0, 1};
  types.insert(types.end(), std::begin(test::kGgmlIds), std::end(test::kGgmlIds));
  for (std::uint32_t type : types) {
    TinyLlama sizes;
    sizes.weight_type = type;
    sizes.width = sizes.feed_forward = 256;
    sizes.tied = type == 2;
    const auto model = load_bytes(test::tiny_llama(sizes).file());
    REQUIRE_MESSAGE(model.ok(), (model ? "" : model.error().message()));
    CHECK(model->architecture == "llama");
    REQUIRE_MESSAGE(model->find("main") != nullptr, model->no_function_reason);
    const Graph& g = *model->find("main");
    std::vector<std::string> inputs;
    for (ValueId id : g.inputs()) {
      inputs.push_back(g.value(id).name);
      CHECK(g.value(id).type.dtype == DType::kI32);
    }
    CHECK(inputs == std::vector<std::string>{"tokens", "positions", "slots", "sequences",
                                             "block_table", "logit_rows"});
    REQUIRE(g.outputs().size() == 1);
    CHECK(g.output_names()[0] == "logits");
    const TensorType& logits = g.value(g.outputs()[0]).type;
    CHECK(logits.dtype == DType::kF32);
    CHECK(logits.shape.rank() == 2);
    CHECK(logits.shape[0] == g.value(g.inputs()[5]).type.shape[0]);
    CHECK(logits.shape[1] == sizes.vocab);
    REQUIRE(g.states().size() == 2 * sizes.layers);
    CHECK(g.states()[0].state->name == "kv.0.k");
    CHECK(g.states()[3].state->name == "kv.1.v");
    for (const StateUse& use : g.states()) {
      const State& state = *use.state;
      CHECK(state.paged);
      CHECK(state.type.dtype == DType::kF16);
      CHECK(state.type.shape[1] == 16);
      CHECK(state.type.shape[2] == 128);
      CHECK(use.update != use.read);
    }
    CHECK(std::get<std::int64_t>(model->hyperparameters.at("context_length")) == 32);
    CHECK(std::get<std::string>(model->hyperparameters.at("kv_type")) == "f16");
  }
}

TEST_CASE("what a Llama file lacks or has too much of is named") {
  const auto contains = [](const Result<Model>& model, std::string_view part) {
    REQUIRE_FALSE(model.ok());
    INFO(model.error().message());
    CHECK(model.error().message().find(part) != std::string::npos);
  };
  TinyLlama sizes;
  GgufBuilder empty;
  empty.add_text("general.architecture", "llama");
  const auto vocabulary = load_bytes(empty.file());
  REQUIRE(vocabulary.ok());
  CHECK(vocabulary->no_function_reason == "the file holds a vocabulary and no tensors");
  GgufBuilder other;
  other.add_text("general.architecture", "mamba");
  other.add_tensor("w", 0, {1}, "abcd");
  CHECK(load_bytes(other.file())->no_function_reason == "architecture 'mamba' is not known here");
  GgufBuilder nothing;
  nothing.add_text("general.architecture", "llama");
  nothing.add_tensor("w", 0, {1}, "abcd");
  contains(load_bytes(nothing.file()), "hyperparameter 'block_count' is missing");
  sizes.context = 0;
  contains(load_bytes(test::tiny_llama(sizes).file()), "'context_length', got 0");
  sizes.context = 1u << 31;
  contains(load_bytes(test::tiny_llama(sizes).file()), "'context_length', got 2147483648");
  // A context longer than can be planned for is cut where nobody asked for one.
  sizes.context = 1u << 30;
  LoadOptions long_context;
  long_context.arch.context_max = 1 << 29;
  const auto longer = load_bytes(test::tiny_llama(sizes).file(), long_context);
  REQUIRE(longer.ok());
  CHECK(longer->no_function_reason.find("too long to plan for, wanted at most") !=
        std::string::npos);
  LoadOptions short_context;
  short_context.arch.context_max = 64;
  CHECK(load_bytes(test::tiny_llama(sizes).file(), short_context)->find("main") != nullptr);
  const auto cut = load_bytes(test::tiny_llama(sizes).file());
  REQUIRE(cut->find("main") != nullptr);
  CHECK(std::get<std::int64_t>(cut->hyperparameters.at("context_length")) < (1 << 30));
  LoadOptions small_cache;
  small_cache.arch.kv_type = KvType::kQ4_0;
  sizes = {};
  const auto narrow = load_bytes(test::tiny_llama(sizes).file(), small_cache);
  REQUIRE(narrow.ok());
  CHECK(narrow->no_function_reason.find("wanted a multiple of 32") != std::string::npos);
}

}  // namespace
}  // namespace polaris
