// What Llama files may say, and what they must not: every number that is read, at its worst.

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "ir/op_attrs/attention.h"
#include "load/load.h"
#include "pipeline/language_model.h"
#include "support/gguf_builder.h"
#include "text/tokenizer_settings.h"

namespace polaris {
namespace {

using test::GgufBuilder;
using test::TinyLlama;

Result<Model> load_bytes(const GgufBuilder& builder, const LoadOptions& options = {}) {
  Source source = Source::in_memory("test.gguf", builder.file());
  return load_model(source, OpSet::builtin(), options);
}

/// The error, or why there is nothing to run; "" where it runs.
std::string trouble(const Result<Model>& model) {
  return model ? model->no_function_reason : model.error().message();
}

GgufBuilder llama_without(const std::string& key, TinyLlama sizes = {}) {
  sizes.without = {key};
  return test::tiny_llama(sizes);
}

/// A value of any type, as it stands in the file.
struct Raw {
  std::string what;
  std::uint32_t type;
  std::string bytes;
};
template <class T>
Raw raw(const std::string& what, std::uint32_t type, T value) {
  return {what, type, std::string(reinterpret_cast<const char*>(&value), sizeof value)};
}

std::vector<Raw> wrong_types() {
  GgufBuilder unused;
  return {{"a text", 8, std::string("\1\0\0\0\0\0\0\0x", 9)},
          {"an empty list", 9, std::string("\4\0\0\0\0\0\0\0\0\0\0\0", 12)},
          {"a list of texts", 9, std::string("\x08\0\0\0\1\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0x", 21)},
          {"a list of floats", 9, std::string("\6\0\0\0\1\0\0\0\0\0\0\0\0\0\x80\x3f", 16)}};
}

TEST_CASE("every whole number that is read is named where it cannot be") {
  struct Row {
    const char* key;
    bool zero_is_fine;
  };
  for (const Row& row : {Row{"block_count", false}, Row{"context_length", false},
                         Row{"embedding_length", false}, Row{"feed_forward_length", false},
                         Row{"attention.head_count", false}, Row{"attention.head_count_kv", false},
                         Row{"attention.key_length", false}, Row{"attention.value_length", false},
                         Row{"rope.dimension_count", false}, Row{"expert_count", true}}) {
    const std::string key = std::string("llama.") + row.key;
    CAPTURE(key);
    std::vector<Raw> bad = wrong_types();
    bad.push_back(raw("-1", 5, std::int32_t{-1}));
    bad.push_back(raw("least", 11, std::numeric_limits<std::int64_t>::min()));
    bad.push_back(raw("most", 11, std::numeric_limits<std::int64_t>::max()));
    bad.push_back(raw("2^64 - 1", 10, ~std::uint64_t{0}));
    bad.push_back(raw("a float", 6, 4.0f));
    bad.push_back(raw("a bool", 7, std::uint8_t{1}));
    if (!row.zero_is_fine) bad.push_back(raw("0", 4, std::uint32_t{0}));
    for (const Raw& value : bad) {
      CAPTURE(value.what);
      GgufBuilder b = llama_without(key);
      b.add_raw(key, value.type, value.bytes);
      const std::string got = trouble(load_bytes(b));
      CAPTURE(got);
      CHECK(got.find(row.key) != std::string::npos);
    }
  }
}

TEST_CASE("every real number that is read is named where it cannot be") {
  struct Row {
    const char* key;
    bool zero_is_fine;
  };
  for (const Row& row :
       {Row{"attention.layer_norm_rms_epsilon", true}, Row{"attention.scale", true},
        Row{"rope.freq_base", false}, Row{"rope.scaling.factor", false},
        Row{"rope.scale_linear", false}, Row{"rope.scaling.attn_factor", false},
        Row{"attn_logit_softcapping", true}, Row{"final_logit_softcapping", true}}) {
    const std::string key = std::string("llama.") + row.key;
    CAPTURE(key);
    std::vector<Raw> bad = wrong_types();
    bad.push_back(raw("-1", 6, -1.0f));
    bad.push_back(raw("nan", 6, std::numeric_limits<float>::quiet_NaN()));
    bad.push_back(raw("nan", 12, std::numeric_limits<double>::quiet_NaN()));
    bad.push_back(raw("inf", 6, std::numeric_limits<float>::infinity()));
    bad.push_back(raw("-inf", 6, -std::numeric_limits<float>::infinity()));
    bad.push_back(raw("1e300", 12, 1e300));
    bad.push_back(raw("a bool", 7, std::uint8_t{1}));
    if (!row.zero_is_fine) bad.push_back(raw("0", 6, 0.0f));
    for (const Raw& value : bad) {
      CAPTURE(value.what);
      GgufBuilder b = llama_without(key);
      b.add_raw(key, value.type, value.bytes);
      const std::string got = trouble(load_bytes(b));
      CAPTURE(got);
      CHECK(got.find(row.key) != std::string::npos);
    }
  }
}

TEST_CASE("every setting of the tokenizer is named where it cannot be") {
  const TinyLlama sizes;
  for (const std::string name :
       {"bos_token_id", "eos_token_id", "unknown_token_id", "eot_token_id", "eom_token_id",
        "fim_pad_token_id", "fim_rep_token_id", "fim_sep_token_id", "add_bos_token",
        "add_eos_token", "add_space_prefix", "scores", "token_type", "tokens", "model"}) {
    const std::string key = "tokenizer.ggml." + name;
    CAPTURE(key);
    std::vector<Raw> bad = wrong_types();
    bad.push_back(raw("nan", 6, std::numeric_limits<float>::quiet_NaN()));
    if (name.ends_with("_id")) {
      bad.push_back(raw("-1", 5, std::int32_t{-1}));
      bad.push_back(raw("one too many", 4, sizes.vocab));
      bad.push_back(raw("2^32 - 1", 4, ~std::uint32_t{0}));
      bad.push_back(raw("2^64 - 1", 10, ~std::uint64_t{0}));
      bad.push_back(raw("a bool", 7, std::uint8_t{1}));
    } else {
      bad.push_back(raw("1", 4, std::uint32_t{1}));
    }
    for (const Raw& value : bad) {
      CAPTURE(value.what);
      if (name == "model" && value.what == "a text") continue;  // refused as unknown, below
      TinyLlama with = sizes;
      with.without = {key};
      GgufBuilder b = test::tiny_llama(with);
      b.without = {key};
      add_tokenizer(b, with);
      b.without.clear();
      b.add_raw(key, value.type, value.bytes);
      const auto model = load_bytes(b);
      REQUIRE(model.ok());
      const auto tokenizer = make_tokenizer(*model);
      const std::string got = tokenizer ? "" : tokenizer.error().message();
      CAPTURE(got);
      CHECK(got.find(name) != std::string::npos);
    }
  }
}

TEST_CASE("scores and kinds of single tokens are looked at") {
  const TinyLlama sizes;
  const auto error_of = [&](const std::string& key, const auto& add) {
    GgufBuilder b = test::tiny_llama(sizes);
    b.without = {key};
    add_tokenizer(b, sizes);
    b.without.clear();
    add(b);
    const auto model = load_bytes(b);
    REQUIRE(model.ok());
    const auto tokenizer = make_tokenizer(*model);
    return tokenizer ? std::string() : tokenizer.error().message();
  };
  std::vector<float> scores(sizes.vocab, 0.0f);
  scores[7] = std::numeric_limits<float>::quiet_NaN();
  CHECK(error_of("tokenizer.ggml.scores", [&](GgufBuilder& b) {
          b.add_f32s("tokenizer.ggml.scores", scores);
        }).find("scores, got nan") != std::string::npos);
  std::vector<std::uint32_t> kinds(sizes.vocab, 1);
  kinds[7] = 7;
  CHECK(error_of("tokenizer.ggml.token_type", [&](GgufBuilder& b) {
          b.add_u32s("tokenizer.ggml.token_type", kinds);
        }).find("token_type, got 7") != std::string::npos);
}

/// The cosines of a Llama file with these additions.
std::vector<double> cosines(const std::function<void(GgufBuilder&)>& add) {
  GgufBuilder b = test::tiny_llama({});
  add(b);
  const auto model = load_bytes(b);
  REQUIRE_MESSAGE(trouble(model).empty(), trouble(model));
  const Graph& graph = *model->find("main");
  for (ValueId id : graph.value_ids()) {
    const Value& value = graph.value(id);
    if (value.name != "rope.cos" || !value.constant) continue;
    const Tensor& data = value.constant->data;
    std::vector<double> out;
    for (std::int64_t i = 0; i < data.elements(); ++i) out.push_back(element_as_f64(data, i));
    return out;
  }
  FAIL("no cosines");
  return {};
}

TEST_CASE("a factor of rope scaling without a type is linear") {
  const auto none = cosines([](GgufBuilder&) {});
  const auto linear = cosines([](GgufBuilder& b) {
    b.add_text("llama.rope.scaling.type", "linear");
    b.add_f32("llama.rope.scaling.factor", 4);
  });
  CHECK(linear != none);
  CHECK(cosines([](GgufBuilder& b) { b.add_f32("llama.rope.scaling.factor", 4); }) == linear);
  CHECK(cosines([](GgufBuilder& b) { b.add_f32("llama.rope.scale_linear", 4); }) == linear);
  // The newer name goes before the older one, and "none" before both.
  CHECK(cosines([](GgufBuilder& b) {
          b.add_f32("llama.rope.scaling.factor", 4);
          b.add_f32("llama.rope.scale_linear", 2);
        }) == linear);
  CHECK(cosines([](GgufBuilder& b) {
          b.add_text("llama.rope.scaling.type", "none");
          b.add_f32("llama.rope.scaling.factor", 4);
        }) == none);
  CHECK(cosines([](GgufBuilder& b) { b.add_text("llama.rope.scaling.type", "linear"); }) == none);
  GgufBuilder other = test::tiny_llama({});
  other.add_text("llama.rope.scaling.type", "longrope");
  CHECK(trouble(load_bytes(other)).find("'longrope', wanted none, linear or yarn") !=
        std::string::npos);
}

TEST_CASE("yarn keeps fast frequencies, divides slow ones, and sharpens attention") {
  // Heads of 8 have four frequencies, 1, 0.1, 0.01 and 0.001 radians a position.
  const auto plain = cosines([](GgufBuilder&) {});
  const auto yarn = cosines([](GgufBuilder& b) {
    b.add_text("llama.rope.scaling.type", "yarn");
    b.add_f32("llama.rope.scaling.factor", 4);
    b.add_u32("llama.rope.scaling.original_context_length", 1024);
    b.add_f32("llama.rope.scaling.yarn_beta_fast", 20);
    b.add_f32("llama.rope.scaling.yarn_beta_slow", 2);
  });
  const double magnitude = 1 + 0.1 * std::log(4.0);
  REQUIRE(yarn.size() == plain.size());
  // 1024 positions are 20 turns at index 8 ln(1024 / 40 pi) / (2 ln 10000) = 0.9 and 2 turns
  // at 1.9: from frequency 0, which stays, to frequency 2, which is divided; 1 is half way.
  const double steps[] = {1.0, 0.1 * (0.5 + 0.5 / 4), 0.01 / 4, 0.001 / 4};
  for (std::size_t i = 0; i < yarn.size(); ++i) {
    const std::size_t position = i / 4;
    const double angle = static_cast<double>(position) * steps[i % 4];
    CHECK(yarn[i] == doctest::Approx(magnitude * std::cos(angle)).epsilon(1e-6));
  }
}

TEST_CASE("one number a layer is taken where all are equal") {
  for (const std::string name :
       {"feed_forward_length", "attention.head_count", "attention.head_count_kv"}) {
    const std::string key = "llama." + name;
    CAPTURE(key);
    const TinyLlama sizes;
    const std::uint32_t right = name == "feed_forward_length"    ? sizes.feed_forward
                                : name == "attention.head_count" ? sizes.heads
                                                                 : sizes.kv_heads;
    const auto with = [&](const std::vector<std::uint32_t>& values) {
      GgufBuilder b = llama_without(key);
      b.add_u32s(key, values);
      return trouble(load_bytes(b));
    };
    CHECK(with({right, right}) == "");
    CHECK(with({right, right * 2}).find("the same in every layer") != std::string::npos);
    CHECK(with({right, right * 2}).find(name) != std::string::npos);
    CHECK(with({right}).find("a list of 1, wanted one number or 2") != std::string::npos);
    CHECK(with({right, right, right}).find(name) != std::string::npos);
    CHECK(with({0, 0}).find("got 0") != std::string::npos);
    CHECK(with({}).find(name) != std::string::npos);
  }
}

TEST_CASE("tensors that the network has no place for are not passed over") {
  // Two layers in the file, one in its numbers.
  GgufBuilder fewer = llama_without("llama.block_count");
  fewer.add_u32("llama.block_count", 1);
  const auto model = load_bytes(fewer);
  REQUIRE(model.ok());  // it can be looked at
  CHECK(model->find("main") == nullptr);
  CHECK(model->no_function_reason.find("9 that the network has no place for, such as 'blk.1.") !=
        std::string::npos);
  for (const char* name : {"output.bias", "blk.0.attn_q_norm.weight", "extra"}) {
    CAPTURE(name);
    GgufBuilder more = test::tiny_llama({});
    more.add_tensor(name, 0, {1}, "abcd");
    CHECK(trouble(load_bytes(more)).find(name) != std::string::npos);
  }
  // Biases, which some files have, are part of it.
  GgufBuilder bias = test::tiny_llama({});
  bias.add_tensor("blk.0.attn_q.bias", 0, {32}, std::string(128, '\0'));
  CHECK(trouble(load_bytes(bias)) == "");
}

TEST_CASE("divisors of frequencies are positive numbers") {
  for (const float bad : {0.0f, -1.0f, std::numeric_limits<float>::quiet_NaN(),
                          std::numeric_limits<float>::infinity()}) {
    std::vector<float> factors = {1, 1, 1, bad};
    GgufBuilder b = test::tiny_llama({});
    b.add_tensor("rope_freqs.weight", 0, {4},
                 std::string(reinterpret_cast<const char*>(factors.data()), 16));
    CHECK(trouble(load_bytes(b)).find("rope_freqs.weight") != std::string::npos);
  }
}

TEST_CASE("tokens end a text by the file's ids and by what they are called") {
  TinyLlama sizes;
  sizes.vocab = 48;
  sizes.without = {"tokenizer.ggml.tokens"};
  const auto ends_of = [&](const std::vector<std::string>& texts, auto add) {
    GgufBuilder b = test::tiny_llama(sizes);
    add_tokenizer(b, sizes, texts);
    add(b);
    const auto model = load_bytes(b);
    REQUIRE(model.ok());
    const auto tokenizer = make_tokenizer(*model);
    REQUIRE_MESSAGE(tokenizer.ok(), tokenizer.error().message());
    return (*tokenizer)->end_tokens();
  };
  const auto nothing = [](GgufBuilder&) {};
  using Ids = std::vector<TokenId>;
  CHECK(ends_of({"plain"}, nothing) == Ids{2});
  for (const char* text : {"<|im_end|>", "<|eot_id|>", "<|end|>", "<end_of_turn>", "<|endoftext|>",
                           "</s>", "<|eom_id|>", "<EOT>", "\xE2\x96\x81<EOT>", "[EOT]",
                           "<|end_of_text|>", "<eos>", "<end_of_utterance>", "<|return|>",
                           "<|call|>", "<|fim_pad|>", "<|file_sep|>", "<|repo_name|>"}) {
    CAPTURE(text);
    CHECK(ends_of({text}, nothing) == Ids{2, 47});
  }
  CHECK(ends_of({"<|im_end|>", "<|eot_id|>"}, nothing) == Ids{2, 46, 47});
  CHECK(ends_of({"plain"}, [](GgufBuilder& b) {
          b.add_u32("tokenizer.ggml.eot_token_id", 9);
          b.add_u32("tokenizer.ggml.eom_token_id", 8);
          b.add_u32("tokenizer.ggml.fim_rep_token_id", 2);
        }) == Ids{2, 8, 9});
  // Where a format has other tokens for the end of the whole.
  CHECK(ends_of({"<|end|>", "<|return|>", "<|call|>"}, nothing) == Ids{2, 46, 47});
  CHECK(ends_of({"</s>", "<|tool_response>"}, nothing) == Ids{2, 47});
}

TEST_CASE("a prompt to go on from does not end in EOS, nor begin with two BOS unnoticed") {
  const TinyLlama sizes;
  GgufBuilder b = test::tiny_llama(sizes);
  add_tokenizer(b, sizes);
  b.add_bool("tokenizer.ggml.add_eos_token", true);
  const auto model = load_bytes(b);
  const auto tokenizer = make_tokenizer(*model);
  REQUIRE(tokenizer.ok());
  const auto whole = (*tokenizer)->encode("t5").take();
  CHECK(whole.back() == 2);
  const auto open = (*tokenizer)->encode("t5", {.to_continue = true}).take();
  CHECK(open == std::vector<TokenId>(whole.begin(), whole.end() - 1));
  CHECK_FALSE((*tokenizer)->has_double_bos(whole));
  const auto twice = (*tokenizer)->encode("t1t5", {.parse_special = true}).take();
  CHECK((*tokenizer)->has_double_bos(twice));
}

TEST_CASE("a model has its tokenizer's settings from its loader, and keeps them") {
  const TinyLlama sizes;
  GgufBuilder b = test::tiny_llama(sizes);
  add_tokenizer(b, sizes);
  auto loaded = load_bytes(b);
  REQUIRE(loaded.ok());
  const auto settings = loaded->tokenizer;
  REQUIRE(settings != nullptr);
  CHECK(settings->tokens.size() == sizes.vocab);
  CHECK(loaded->no_tokenizer.ok());
  Model model = loaded.take();
  model.metadata.clear();  // nobody reads the file's keys again
  REQUIRE(model.take("main"));
  CHECK(model.tokenizer == settings);
  CHECK(make_tokenizer(model).ok());
  CHECK(make_tokenizer(model).ok());
}

TEST_CASE("a model without a tokenizer can be looked at, and says what is wrong") {
  const TinyLlama sizes;
  const auto plain = load_bytes(test::tiny_llama(sizes));
  REQUIRE(plain.ok());
  CHECK(plain->tokenizer == nullptr);
  CHECK(make_tokenizer(*plain).error().message() == plain->no_tokenizer.error().message());
  CHECK(plain->find("main") != nullptr);
  GgufBuilder other = test::tiny_llama(sizes);
  other.add_text("tokenizer.ggml.model", "unheard");
  const auto unknown = load_bytes(other);
  REQUIRE(unknown.ok());
  CHECK(make_tokenizer(*unknown).error().message().find("'unheard'") != std::string::npos);
  CHECK(make_tokenizer(Model()).error().code() == ErrorCode::kUnsupported);
}

TEST_CASE("the pairs that rope turns are the architecture's, or what the file says") {
  const auto interleaved = [](const std::string& architecture, std::optional<bool> said) {
    GgufBuilder b = test::tiny_llama({}, architecture);
    if (said) b.add_bool(architecture + ".rope.interleaved", *said);
    const auto model = load_bytes(b);
    REQUIRE_MESSAGE(trouble(model).empty(), trouble(model));
    const Graph& graph = *model->find("main");
    for (NodeId id : graph.order()) {
      const Node& node = graph.node(id);
      if (node.op->name != "RotaryEmbedding") continue;
      return static_cast<const RotaryEmbeddingAttrs&>(*node.attrs).interleaved;
    }
    FAIL("no rope");
    return false;
  };
  CHECK(interleaved("llama", std::nullopt));
  CHECK_FALSE(interleaved("llama", false));
  CHECK_FALSE(interleaved("qwen2", std::nullopt));
  CHECK(interleaved("qwen2", true));
}

TEST_CASE("a file of a decoder declares how it is run") {
  const auto model = load_bytes(test::tiny_llama({}));
  REQUIRE(model->decoder);
  CHECK(check_decoder(*model));
  REQUIRE(model->decoder->groups.size() == 1);
  const CacheGroup& group = model->decoder->groups[0];
  CHECK(group.page_size == 16);
  CHECK(group.window == 0);
  CHECK(group.positions == model->decoder->positions);
  CHECK(group.states == std::vector<std::string>{"kv.0.k", "kv.0.v", "kv.1.k", "kv.1.v"});
  const Graph& graph = *model->find("main");
  CHECK(graph.value(graph.inputs()[group.block_table]).name == "block_table");
}

TEST_CASE("why a file cannot run is said wherever it was to be run") {
  TinyLlama sizes;
  GgufBuilder b = test::tiny_llama(sizes);
  b.add_u32("llama.expert_count", 8);
  auto model = load_bytes(b);
  REQUIRE(model.ok());
  const auto language = LanguageModel::create(nullptr, *model);
  REQUIRE_FALSE(language.ok());
  CHECK(language.error().message().find("mixture of experts") != std::string::npos);
  const auto taken = take_function(*model, "");
  CHECK(taken.error().message() == language.error().message());
}

}  // namespace
}  // namespace polaris
