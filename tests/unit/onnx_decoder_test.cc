// Decoders of ONNX files with their past as inputs: what becomes of one, and what is refused, with
// what was found and what is wanted.
#include <doctest/doctest.h>

#include <algorithm>
#include <functional>

#include "base/os/files.h"
#include "load/load.h"
#include "support/onnx_builder.h"
#include "support/process.h"

namespace polaris {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace): builders of a test

constexpr int kFloat = 1;
constexpr int kInt32 = 6;
constexpr int kInt64 = 7;
constexpr const char* kMicrosoft = "com.microsoft";

std::string weight(std::string_view name, std::int64_t rows, std::int64_t columns) {
  return onnx_tensor_of<float>(name, kFloat, {rows, columns},
                               std::vector<float>(static_cast<std::size_t>(rows * columns), 0.5f));
}

/// One layer: 4 heads over 2 of 8 elements, a vocabulary of 10.
struct Decoder {
  std::vector<std::string> past_dims = {"batch", "2", "past", "8"};
  std::vector<std::string> query = {"qkv",  "",      "",    "past.0.key", "past.0.value",
                                    "ends", "total", "cos", "sin"};
  std::vector<std::string> attention = {attr_int("num_heads", 4), attr_int("kv_num_heads", 2),
                                        attr_int("do_rotary", 1)};
  std::string op = "GroupQueryAttention";
  std::string domain = kMicrosoft;
  std::int64_t qkv_width = 64;
  std::int64_t table_width = 4;
  std::vector<std::string> more_inputs;
  /// Between attention and the logits: from "mixed" to "last".
  std::vector<std::string> middle = {onnx_node("Identity", {"mixed"}, {"last"})};
  std::vector<std::string> more_weights;
  std::string ids = "input_ids";
  int ids_type = kInt64;
  std::string logits = "logits";

  std::vector<std::byte> encode() const {
    OnnxGraph graph;
    graph.inputs = {onnx_value(ids, ids_type, {"batch", "tokens"}),
                    onnx_value("attention_mask", kInt64, {"batch", "all"}),
                    onnx_value("past.0.key", kFloat, past_dims),
                    onnx_value("past.0.value", kFloat, past_dims),
                    onnx_value("ends", kInt32, {"batch"}),
                    onnx_value("total", kInt32, {})};
    graph.inputs.insert(graph.inputs.end(), more_inputs.begin(), more_inputs.end());
    graph.initializers = {weight("words", 10, 32), weight("w", 32, qkv_width),
                          weight("cos", 16, table_width), weight("sin", 16, table_width),
                          weight("head", 32, 10)};
    graph.initializers.insert(graph.initializers.end(), more_weights.begin(), more_weights.end());
    graph.nodes = {
        onnx_node("Gather", {"words", ids}, {"x"}), onnx_node("MatMul", {"x", "w"}, {"qkv"}),
        onnx_node(op, query, {"mixed", "present.0.key", "present.0.value"}, attention, domain)};
    graph.nodes.insert(graph.nodes.end(), middle.begin(), middle.end());
    graph.nodes.push_back(onnx_node("MatMul", {"last", "head"}, {logits}));
    graph.outputs = {onnx_type(logits, kFloat), onnx_type("present.0.key", kFloat),
                     onnx_type("present.0.value", kFloat)};
    const std::string more = proto_bytes(8, proto_bytes(1, kMicrosoft) + proto_varint(2, 1));
    return onnx_model(graph.encode(), 23, more);
  }
};

LoadOptions for_generation() {
  LoadOptions options;
  options.arch.generate = true;
  return options;
}

Result<Model> load(const Decoder& decoder, const LoadOptions& options = for_generation()) {
  Source source = Source::in_memory("test.onnx", decoder.encode());
  return load_model(source, OpSet::builtin(), options);
}

void refused(const std::function<void(Decoder&)>& change, std::string_view wanted) {
  Decoder decoder;
  change(decoder);
  const auto model = load(decoder);
  const std::string message = model ? "it loads" : model.error().message();
  CHECK_MESSAGE(message.find(wanted) != std::string::npos, message, " | wanted: ", wanted);
}

std::vector<std::string> ops_of(const Graph& graph) {
  std::vector<std::string> out;
  for (NodeId id : graph.order()) out.push_back(op_full_name(*graph.node(id).op));
  return out;
}

std::int64_t count(const std::vector<std::string>& ops, std::string_view op) {
  return std::ranges::count(ops, op);
}

}  // namespace

TEST_CASE("a decoder with its past as inputs becomes one over a paged cache") {
  const auto model = load({});
  REQUIRE_MESSAGE(model, model.error().message());
  REQUIRE(model->decoder);
  CHECK(model->decoder->groups.size() == 1);
  CHECK(model->decoder->groups[0].states == std::vector<std::string>{"kv.0.k", "kv.0.v"});
  CHECK(model->states.size() == 2);
  const Graph& graph = *model->find("main");
  const auto ops = ops_of(graph);
  CHECK(count(ops, "polaris.KvWrite") == 1);
  CHECK(count(ops, "polaris.PagedAttention") == 1);
  CHECK(count(ops, "TensorScatter") == 0);
  CHECK(graph.outputs().size() == 1);
  // As many positions as the tables have rows; no more than the caller wants.
  CHECK(std::get<std::int64_t>(model->hyperparameters.at("context_length")) == 16);
  LoadOptions shorter = for_generation();
  shorter.arch.context_max = 12;
  const auto bounded = load({}, shorter);
  REQUIRE(bounded);
  CHECK(std::get<std::int64_t>(bounded->hyperparameters.at("context_length")) == 12);
}

TEST_CASE("only rows whose logits are wanted go through the last matrix") {
  const auto model = load({});
  REQUIRE(model);
  const Graph& graph = *model->find("main");
  const ValueId rows = graph.inputs()[model->decoder->logit_rows];
  for (NodeId id : graph.order()) {
    const Node& node = graph.node(id);
    if (!node.op->is("Gather") || node.inputs[1] != rows) continue;
    CHECK(graph.value(node.inputs[0]).type.shape.back() == 32);
    return;
  }
  FAIL("no Gather of the rows");
}

TEST_CASE("without generation the same file stays as it is") {
  const auto model = load({}, {});
  REQUIRE_MESSAGE(model, model.error().message());
  CHECK(!model->decoder);
  CHECK(model->find("main")->inputs().size() == 6);
}

TEST_CASE("a window makes its group") {
  Decoder decoder;
  decoder.attention.push_back(attr_int("local_window_size", 6));
  const auto model = load(decoder);
  REQUIRE_MESSAGE(model, model.error().message());
  REQUIRE(model->decoder->groups.size() == 1);
  CHECK(model->decoder->groups[0].window == 6);
}

TEST_CASE("pasts and heads that do not fit are refused") {
  refused(
      [](Decoder& d) {
        d.past_dims = {"batch", "3", "past", "8"};
      },
      "3 heads, wanted the 2 of");
  refused(
      [](Decoder& d) {
        d.past_dims = {"batch", "2", "past", "16"};
      },
      "4 over 2 of 8 elements, wanted a multiple over the 2 of 16 of its past");
  refused(
      [](Decoder& d) {
        d.past_dims = {"batch", "2", "past"};
      },
      "rank 3, wanted [batch, heads, tokens, head size]");
  refused(
      [](Decoder& d) {
        d.past_dims = {"batch", "2", "past", "size"};
      },
      "wanted numbers from 1");
  refused(
      [](Decoder& d) {
        d.past_dims = {"batch", "2", "past", "1000000000000"};
      },
      "wanted numbers from 1");
  refused([](Decoder& d) { d.attention[1] = attr_int("kv_num_heads", 3); }, "wanted the 3 of");
  refused([](Decoder& d) { d.attention[1] = attr_int("kv_num_heads", INT64_MIN); },
          "num_heads and kv_num_heads");
  refused([](Decoder& d) { d.attention[0] = attr_int("num_heads", INT64_MAX); },
          "num_heads and kv_num_heads");
  refused([](Decoder& d) { d.qkv_width = 63; }, "width of the query, got 63");
  refused([](Decoder& d) { d.table_width = 5; }, "cos_cache, sin_cache");
  refused([](Decoder& d) { d.query[4] = ""; }, "past of GroupQueryAttention");
  refused([](Decoder& d) { d.query[4] = "past.0.key"; }, "two inputs of the graph");
  refused([](Decoder& d) { d.attention.push_back(attr_int("local_window_size", -7)); },
          "local_window_size, got -7");
}

TEST_CASE("what is no decoder that we know is refused with what was found") {
  refused([](Decoder& d) { d.ids = "inputs_embeds"; }, "'inputs_embeds'");
  refused([](Decoder& d) { d.ids_type = kFloat; }, "[onnx] decoder: input 'input_ids', got FLOAT");
  refused(
      [](Decoder& d) {
        d.op = "Concat";
        d.domain = "";
        d.query = {"past.0.key", "past.0.value"};
        d.attention = {attr_int("axis", 2)};
      },
      "reader of 'past.0.key', got Concat, wanted GroupQueryAttention");
  refused([](Decoder& d) { d.query[3] = d.query[4] = ""; }, "no node that reads a past");
  refused(
      [](Decoder& d) {
        d.op = "MultiHeadAttention";
        d.query = {"qkv", "qkv", "qkv", "", "", "", "past.0.key", "past.0.value"};
        d.attention = {attr_int("num_heads", 2)};
      },
      "unidirectional, got 0, wanted 1");
  refused(
      [](Decoder& d) {
        d.op = "Attention";
        d.domain = "";
        d.query = {"qkv", "qkv", "qkv", "", "past.0.key", "past.0.value"};
        d.attention = {attr_int("q_num_heads", 2), attr_int("kv_num_heads", 2)};
      },
      "is_causal, got 0, wanted 1");
}

TEST_CASE("tokens that see each other outside of attention are refused") {
  const auto between = [](const std::string& node) {
    return [node](Decoder& d) { d.middle = {node}; };
  };
  const auto ints = [](std::string_view name, const std::vector<std::int64_t>& values) {
    return onnx_tensor_of<std::int64_t>(name, kInt64, {static_cast<std::int64_t>(values.size())},
                                        values);
  };
  refused(between(onnx_node("Softmax", {"mixed"}, {"last"}, {attr_int("axis", 1)})),
          "Softmax node 'last' mixes tokens");
  refused(
      [&](Decoder& d) {
        d.more_weights = {ints("axes", {1})};
        d.middle = {onnx_node("ReduceMean", {"mixed", "axes"}, {"last"})};
      },
      "ReduceMean node 'last' mixes tokens");
  refused(
      [&](Decoder& d) {  // the last token alone, as exporters prune it
        d.more_weights = {ints("from", {-1}), ints("to", {INT64_MAX}), ints("axes", {1})};
        d.middle = {onnx_node("Slice", {"mixed", "from", "to", "axes"}, {"last"})};
      },
      "Slice node 'last' mixes tokens");
  refused(
      [&](Decoder& d) {  // by how many tokens there are
        d.middle = {onnx_node("Shape", {"mixed"}, {"sizes"}),
                    onnx_node("CastLike", {"sizes", "mixed"}, {"float"}),
                    onnx_node("ReduceMax", {"float"}, {"largest"}),
                    onnx_node("Mul", {"mixed", "largest"}, {"last"})};
      },
      "Mul node 'last' mixes tokens");
  refused(
      [&](Decoder& d) {
        d.more_weights = {onnx_tensor_of<float>("zero", kFloat, {}, {0})};
        d.middle = {onnx_node("CumSum", {"mixed", "one"}, {"last"})};
        d.more_weights.push_back(onnx_tensor_of<std::int64_t>("one", kInt64, {}, {1}));
      },
      "CumSum node 'last' mixes tokens");
  refused(
      [](Decoder& d) {
        d.middle = {onnx_node("Transpose", {"mixed"}, {"turned"}, {attr_ints("perm", {0, 2, 1})}),
                    onnx_node("MatMul", {"mixed", "turned"}, {"scores"}),
                    onnx_node("MatMul", {"scores", "mixed"}, {"last"})};
      },
      "mixes tokens");
  refused(
      [](Decoder& d) {
        d.middle = {onnx_node("CastLike", {"attention_mask", "mixed"}, {"m"}),
                    onnx_node("ReduceMax", {"m"}, {"n"}),
                    onnx_node("Mul", {"mixed", "n"}, {"last"})};
      },
      "reader of input 'attention_mask', got CastLike node");
}

TEST_CASE("tokens stay apart under other dims") {
  Decoder decoder;
  const auto ints = [](std::string_view name, const std::vector<std::int64_t>& values) {
    return onnx_tensor_of<std::int64_t>(name, kInt64, {static_cast<std::int64_t>(values.size())},
                                        values);
  };
  decoder.more_weights = {ints("heads", {0, 0, 4, 8}), ints("rows", {0, 0, 32}),
                          ints("flat", {-1, 32}), ints("batch", {1, -1, 32}),
                          ints("last_axis", {-1})};
  decoder.middle = {
      onnx_node("Reshape", {"mixed", "heads"}, {"apart"}),
      onnx_node("Transpose", {"apart"}, {"turned"}, {attr_ints("perm", {0, 2, 1, 3})}),
      onnx_node("Softmax", {"turned"}, {"soft"}, {attr_int("axis", 1)}),
      onnx_node("Transpose", {"soft"}, {"back"}, {attr_ints("perm", {0, 2, 1, 3})}),
      onnx_node("Reshape", {"back", "rows"}, {"joined"}),
      onnx_node("Reshape", {"joined", "flat"}, {"flattened"}),
      onnx_node("ReduceMean", {"flattened", "last_axis"}, {"mean"}),
      onnx_node("Sub", {"flattened", "mean"}, {"less"}),
      onnx_node("Reshape", {"less", "batch"}, {"last"})};
  const auto model = load(decoder);
  CHECK_MESSAGE(model, model.error().message());
}

TEST_CASE("heads may stand side by side with tokens, as norms of heads are exported") {
  const auto ints = [](std::string_view name, const std::vector<std::int64_t>& values) {
    return onnx_tensor_of<std::int64_t>(name, kInt64, {static_cast<std::int64_t>(values.size())},
                                        values);
  };
  const auto between = [&](std::vector<std::string> nodes) {
    Decoder decoder;
    decoder.more_weights = {ints("heads", {0, -1, 8}), ints("rows", {0, -1, 32}),
                            onnx_tensor_of<float>("ones", kFloat, {8}, std::vector<float>(8, 1))};
    decoder.middle = {onnx_node("Reshape", {"mixed", "heads"}, {"apart"})};
    decoder.middle.insert(decoder.middle.end(), nodes.begin(), nodes.end());
    decoder.middle.push_back(onnx_node("Reshape", {"normed", "rows"}, {"last"}));
    return decoder;
  };
  const auto normed = load(between({onnx_node("RMSNormalization", {"apart", "ones"}, {"normed"})}));
  CHECK_MESSAGE(normed, normed.error().message());
  refused(
      [&](Decoder& d) {
        d = between({onnx_node("Softmax", {"apart"}, {"normed"}, {attr_int("axis", 1)})});
      },
      "Softmax node 'normed' mixes tokens");
  // Not a whole number of places for each token.
  refused(
      [&](Decoder& d) {
        d = between({onnx_node("Reshape", {"apart", "pairs"}, {"normed"})});
        d.more_weights.push_back(ints("pairs", {0, -1, 64}));
      },
      "Reshape node 'normed' mixes tokens");
}

TEST_CASE("what files beside a decoder say of it is read, and held to what they may say") {
  TemporaryFolder folder;
  const std::string path = folder.file("model.onnx");
  const std::string genai = folder.file("genai_config.json");
  const std::string config = folder.file("config.json");
  const auto load_beside = [&](std::string_view first, std::string_view second) {
    REQUIRE(write_file(path, Decoder().encode()));
    REQUIRE(write_file(genai, first));
    REQUIRE(write_file(config, second));
    return load_model(path, OpSet::builtin(), for_generation());
  };
  const auto both = load_beside(R"({"model": {"eos_token_id": [3, 4]}})",
                                R"({"max_position_embeddings": 9, "eos_token_id": 5})");
  REQUIRE_MESSAGE(both, both.error().message());
  CHECK(std::get<std::int64_t>(both->hyperparameters.at("context_length")) == 9);
  CHECK(std::get<std::vector<std::int64_t>>(both->hyperparameters.at("end_tokens")) ==
        std::vector<std::int64_t>{3, 4});
  struct Row {
    const char* genai;
    const char* wanted;
  };
  const Row rows[] = {
      {R"({"model": {"context_length": 0}})", "'context_length'"},
      {R"({"model": {"context_length": 1e99}})", "'context_length'"},
      {R"({"model": {"eos_token_id": "2"}})", "'eos_token_id'"},
      {R"({"model": {"eos_token_id": [-1]}})", "'eos_token_id'"},
      {R"({"model": 3})", "'model', got another value, wanted an object"},
      {R"([])", "wanted an object"},
      {R"({"model": )", "genai_config.json"},
      {R"({"model": {"vocab_size": 11}})", "wanted [rows, vocabulary] of 11"},
      {R"({"model": {"decoder": {"num_hidden_layers": 2}}})",
       "layers with a past, got 1, wanted 2"},
      {R"({"model": {"decoder": {"head_size": 9}}})", "head size of a past, got 8, wanted 9"},
      {R"({"model": {"decoder": {"inputs": {"input_ids": "ids"}}}})", "wanted 'ids' of token ids"}};
  for (const Row& row : rows) {
    const auto model = load_beside(row.genai, "{}");
    const std::string message = model ? "it loads" : model.error().message();
    CHECK_MESSAGE(message.find(row.wanted) != std::string::npos, message, " | ", row.wanted);
  }
}

}  // namespace polaris
