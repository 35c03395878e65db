#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "conformance/samples.h"
#include "ir/any_rank.h"
#include "ir/evaluate.h"
#include "ir/op_attrs/attention.h"
#include "ir/op_attrs/conv.h"
#include "ir/op_attrs/matmul.h"
#include "ir/op_attrs/random.h"
#include "ir/op_attrs/resize.h"
#include "ir/op_attrs/select.h"
#include "ir/op_attrs/string.h"
#include "ir/op_set.h"
#include "tensor/element.h"

// Ops that have no kernels of their own, given operands and attributes that contradict each other:
// each says so under its name, and what it knows of its results before it knows the sizes holds
// once it does.
namespace polaris::test {
namespace {

constexpr DType kF = DType::kF32;
constexpr DType kI = DType::kI64;

/// A node that runs, to be spoiled.
struct Base {
  const char* op;
  std::vector<Tensor> inputs;
  std::shared_ptr<const Attrs> attrs;
  int outputs = 1;
};

std::vector<Base> signal_and_random_bases() {
  return {
      {"HannWindow", {scalar(kI, 5)}, nullptr},
      {"HammingWindow", {scalar(kI, 5)}, nullptr},
      {"BlackmanWindow", {scalar(kI, 5)}, nullptr},
      {"MelWeightMatrix",
       {scalar(kI, 4), scalar(kI, 16), scalar(kI, 8000), scalar(kF, 0), scalar(kF, 4000)},
       nullptr},
      {"DFT", {random(kF, {2, 6, 1}), scalar(kI, 5), scalar(kI, 1)}, nullptr},
      {"STFT", {random(kF, {1, 9, 1}), scalar(kI, 2), random(kF, {4}), scalar(kI, 4)}, nullptr},
      {"RandomNormal", {}, attrs<RandomNormalAttrs>([](auto& a) {
         a.shape = {2, 3};
       })},
      {"RandomUniform", {}, attrs<RandomUniformAttrs>([](auto& a) {
         a.shape = {2, 3};
       })},
      {"RandomNormalLike", {random(kF, {2, 3})}, nullptr},
      {"RandomUniformLike", {random(kF, {2, 3})}, nullptr},
      {"Bernoulli", {random(kF, {2, 3})}, nullptr},
      {"Multinomial", {random(kF, {2, 3})}, nullptr},
      {"NegativeLogLikelihoodLoss", {random(kF, {2, 3}), int64s({0, 2}), random(kF, {3})}, nullptr},
      {"SoftmaxCrossEntropyLoss",
       {random(kF, {2, 3, 2}), values(kI, {2, 2}, {0, 1, 2, 0}), random(kF, {3})},
       nullptr,
       2},
      {"TfIdfVectorizer", {int64s({1, 2, 3})}, attrs<TfIdfVectorizerAttrs>([](auto& a) {
         a.ngram_counts = {0, 2};
         a.ngram_indexes = {0, 1, 2};
         a.pool_int64s = {1, 2, 2, 3};
         a.max_gram_length = 2;
       })},
  };
}

std::vector<Base> image_bases() {
  return {
      {"Resize", {random(kF, {1, 2, 3}), absent(), values(kF, {3}, {1, 2, 0.5})}, nullptr},
      {"Resize",
       {random(kF, {2, 3}), values(kF, {4}, {0, 0, 1, 1}), absent(), int64s({3, 2})},
       attrs<ResizeAttrs>([](auto& a) { a.mode = "cubic"; })},
      {"GridSample", {random(kF, {1, 2, 3, 4}), random(kF, {1, 2, 3, 2})}, nullptr},
      {"AffineGrid", {random(kF, {2, 2, 3}), int64s({2, 1, 3, 4})}, nullptr},
      {"RoiAlign",
       {random(kF, {1, 2, 4, 5}), values(kF, {1, 4}, {0, 0, 3, 3}), int64s({0})},
       nullptr},
      {"MaxRoiPool",
       {random(kF, {1, 2, 4, 5}), values(kF, {1, 5}, {0, 0, 0, 3, 3})},
       attrs<MaxRoiPoolAttrs>([](auto& a) {
         a.pooled_shape = {2, 2};
       })},
      {"NonMaxSuppression",
       {random(kF, {1, 5, 4}), random(kF, {1, 2, 5}), int64s({3}), values(kF, {1}, {0.5}),
        values(kF, {1}, {0.1})},
       nullptr},
      {"LpPool", {random(kF, {1, 2, 5})}, attrs<LpPoolAttrs>([](auto& a) {
         a.window.kernel_shape = {2};
       })},
      {"GlobalLpPool", {random(kF, {1, 2, 5})}, nullptr},
      {"MaxUnpool",
       {random(kF, {1, 1, 2}), values(kI, {1, 1, 2}, {0, 2}), int64s({1, 1, 4})},
       attrs<MaxUnpoolAttrs>([](auto& a) { a.kernel_shape = {2}; })},
      {"Col2Im", {random(kF, {1, 4, 4}), int64s({3, 3}), int64s({2, 2})}, nullptr},
      {"DeformConv",
       {random(kF, {1, 2, 3, 3}), random(kF, {2, 2, 2, 2}), random(kF, {1, 8, 2, 2}),
        random(kF, {2}), random(kF, {1, 4, 2, 2})},
       nullptr},
  };
}

std::vector<Base> other_bases() {
  return {
      {"RNN",
       {random(kF, {2, 1, 3}), random(kF, {1, 2, 3}), random(kF, {1, 2, 2}), random(kF, {1, 4}),
        values(DType::kI32, {1}, {2}), random(kF, {1, 1, 2})},
       nullptr,
       2},
      {"GRU", {random(kF, {2, 1, 3}), random(kF, {1, 6, 3}), random(kF, {1, 6, 2})}, nullptr, 2},
      {"LSTM",
       {random(kF, {2, 1, 3}), random(kF, {1, 8, 3}), random(kF, {1, 8, 2}), random(kF, {1, 16}),
        values(DType::kI32, {1}, {2}), random(kF, {1, 1, 2}), random(kF, {1, 1, 2}),
        random(kF, {1, 6})},
       nullptr,
       3},
      {"Einsum", {random(kF, {2, 3}), random(kF, {3, 2})}, attrs<EinsumAttrs>([](auto& a) {
         a.equation = "ij,jk->ik";
       })},
      {"OneHot", {int64s({0, 2}), scalar(kI, 3), values(kF, {2}, {0, 1})}, nullptr},
      {"Trilu", {random(kF, {3, 3}), scalar(kI, 1)}, nullptr},
      {"EyeLike", {random(kF, {3, 3})}, nullptr},
      {"ReverseSequence", {random(kF, {3, 2}), int64s({1, 3})}, nullptr},
      {"CenterCropPad", {random(kF, {3, 2}), int64s({2, 4})}, nullptr},
      {"TensorScatter", {random(kF, {2, 4, 3}), random(kF, {2, 2, 3}), int64s({0, 1})}, nullptr},
      {"Compress", {random(kF, {3, 2}), values(DType::kBool, {2}, {1, 0})}, nullptr},
      {"Unique", {random(kF, {3, 2})}, nullptr, 4},
      {"LRN", {random(kF, {1, 3, 2})}, nullptr},
      {"LpNormalization", {random(kF, {3, 2})}, nullptr},
      {"MeanVarianceNormalization", {random(kF, {1, 2, 3, 2})}, nullptr},
      {"CumProd", {random(kF, {2, 3}), scalar(kI, 1)}, nullptr},
      {"Det", {random(kF, {2, 3, 3})}, nullptr},
      {"Attention",
       {random(kF, {1, 2, 3, 4}), random(kF, {1, 2, 3, 4}), random(kF, {1, 2, 3, 2}),
        random(kF, {3, 5}), random(kF, {1, 2, 2, 4}), random(kF, {1, 2, 2, 2})},
       nullptr,
       4},
  };
}

std::vector<Base> all_bases() {
  std::vector<Base> out = other_bases();
  for (auto& more : {signal_and_random_bases(), image_bases()}) {
    out.insert(out.end(), more.begin(), more.end());
  }
  return out;
}

template <class T, std::size_t n>
const T& one_of(Rng& rng, const T (&list)[n]) {
  return list[rng.next() % n];
}

constexpr std::int64_t kInts[] = {-9, -2, -1, 0, 1, 2, 3, 4, 9, 1LL << 31, INT64_MAX, INT64_MIN};
constexpr float kFloats[] = {-1,
                             0,
                             0.5f,
                             1,
                             2,
                             3e38f,
                             std::numeric_limits<float>::infinity(),
                             std::numeric_limits<float>::quiet_NaN()};
constexpr const char* kWords[] = {"",
                                  "linear",
                                  "cubic",
                                  "reverse",
                                  "bidirectional",
                                  "SAME_LOWER",
                                  "max",
                                  "sum",
                                  "none",
                                  "IDF",
                                  "circular",
                                  "reflection",
                                  "align_corners",
                                  "tf_crop_and_resize",
                                  "not_larger",
                                  "ij,jk",
                                  "i...,j->i",
                                  "a,b->ab",
                                  "nonsense"};
constexpr DType kDTypes[] = {DType::kF32,  DType::kF64,      DType::kF16,
                             DType::kI64,  DType::kI32,      DType::kU8,
                             DType::kBool, DType::kF8E4M3FN, DType::kString};

/// Replaces the field of that number, whatever its type.
class Spoiler final : public AttrVisitor {
 public:
  Spoiler(Rng& rng, int which) : rng_(rng), which_(which) {}

  void field(std::string_view, std::int64_t& v) override {
    if (hit()) v = one_of(rng_, kInts);
  }
  void field(std::string_view, float& v) override {
    if (hit()) v = one_of(rng_, kFloats);
  }
  void field(std::string_view, bool& v) override {
    if (hit()) v = !v;
  }
  void field(std::string_view, std::string& v) override {
    if (hit()) v = one_of(rng_, kWords);
  }
  void field(std::string_view, DType& v) override {
    if (hit()) v = one_of(rng_, kDTypes);
  }
  void field(std::string_view, Tensor&) override { hit(); }
  void field(std::string_view, std::vector<std::int64_t>& v) override {
    if (hit()) resize(v, [&] { return one_of(rng_, kInts); });
  }
  void field(std::string_view, std::vector<float>& v) override {
    if (hit()) resize(v, [&] { return one_of(rng_, kFloats); });
  }
  void field(std::string_view, std::vector<std::string>& v) override {
    if (hit()) resize(v, [&] { return std::string(one_of(rng_, kWords)); });
  }
  int count() const { return seen_; }

 private:
  bool hit() { return seen_++ == which_; }
  template <class T, class F>
  void resize(std::vector<T>& v, F make) {
    if (!v.empty() && rng_.next() % 2 == 0) {
      v[rng_.next() % v.size()] = make();
      return;
    }
    v.clear();
    for (std::uint64_t i = 0, n = rng_.next() % 6; i < n; ++i) v.push_back(make());
  }

  Rng& rng_;
  int which_;
  int seen_ = 0;
};

Tensor any_tensor(Rng& rng) {
  constexpr DType kPlain[] = {DType::kF32, DType::kF32, DType::kF64, DType::kI64,
                              DType::kI64, DType::kI32, DType::kU8,  DType::kBool};
  constexpr std::int64_t kDims[] = {0, 1, 1, 2, 2, 3, 4, 5, 8};
  Shape shape;
  for (std::uint64_t i = 0, n = rng.next() % 6; i < n; ++i) shape.push_back(one_of(rng, kDims));
  const DType dtype = one_of(rng, kPlain);
  Tensor out = random_ints(dtype, shape, 0, 3);
  for (std::int64_t i = 0; i < out.elements(); ++i) {
    if (rng.next() % 4 != 0) continue;
    std::byte* data = out.mutable_bytes().data();
    if (is_float(dtype)) {
      store_f64(dtype, data, i, static_cast<double>(one_of(rng, kFloats)));
    } else {
      store_i64(dtype, data, i, one_of(rng, kInts));
    }
  }
  return out;
}

struct Node {
  const OpDef* op = nullptr;
  std::unique_ptr<Attrs> attrs;
  std::vector<Tensor> inputs;
  int outputs = 1;

  NodeView view(std::span<const TensorType> types, bool values) const {
    NodeView out{op, attrs.get(), "n", {}, {}, static_cast<std::size_t>(outputs)};
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const bool present = static_cast<bool>(inputs[i]);
      out.add_input({present ? &types[i] : nullptr, present && values ? &inputs[i] : nullptr});
    }
    return out;
  }
};

Node spoiled(const Base& base, Rng& rng, int turn) {
  Node out;
  out.op = OpSet::builtin().find(base.op);
  REQUIRE_MESSAGE(out.op != nullptr, "no op ", base.op);
  out.attrs = base.attrs                      ? base.attrs->clone()
              : out.op->make_attrs != nullptr ? out.op->make_attrs()
                                              : std::unique_ptr<Attrs>(new NoAttrs());
  out.inputs = base.inputs;
  out.outputs = base.outputs;
  Spoiler counter(rng, -1);
  out.attrs->visit(counter);
  for (int change = 0; turn > 0 && change < 1 + turn % 2; ++change) {
    const std::size_t choices = out.inputs.size() + static_cast<std::size_t>(counter.count());
    const std::size_t which = choices == 0 ? 0 : rng.next() % choices;
    if (which < out.inputs.size()) {
      const bool drop = rng.next() % 8 == 0;
      out.inputs[which] = drop ? Tensor() : any_tensor(rng);
    } else {
      Spoiler spoiler(rng, static_cast<int>(which - out.inputs.size()));
      out.attrs->visit(spoiler);
    }
  }
  return out;
}

/// With some dims unknown and no values, infer must say nothing that turns out wrong.
std::string check_unknown(const Node& node, std::span<const TensorType> outputs, Rng& rng) {
  std::vector<TensorType> types;
  for (const Tensor& input : node.inputs) {
    types.push_back(input ? input.type() : TensorType{});
    for (int d = 0; d < types.back().shape.rank(); ++d) {
      if (rng.next() % 2 == 0) types.back().shape[d] = kUnknownDim;
    }
  }
  const NodeView view = node.view(types, false);
  const auto got = infer_types(view);
  if (!got) return "refused where sizes are unknown: " + got.error().message();
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const Shape& early = got->outputs[i].shape;
    const Shape& late = outputs[i].shape;
    bool same = got->outputs[i].dtype == outputs[i].dtype && early.rank() == late.rank();
    for (int d = 0; same && d < early.rank(); ++d) {
      same = !is_static_dim(early[d]) || early[d] == late[d];
    }
    if (!same && !has_any_rank(early)) {
      return "said " + early.to_string() + " and then " + late.to_string();
    }
  }
  return "";
}

}  // namespace

TEST_CASE("operands and attributes that contradict each other are errors that name the op") {
  Rng rng(7);
  int refused = 0;
  int ran = 0;
  for (const Base& base : all_bases()) {
    const std::string prefix = "[" + std::string(base.op) + "]";
    int refused_here = 0;
    for (int turn = 0; turn < 300; ++turn) {
      const Node node = spoiled(base, rng, turn);
      std::vector<const Tensor*> inputs;
      std::vector<TensorType> types;
      for (const Tensor& input : node.inputs) {
        inputs.push_back(input ? &input : nullptr);
        types.push_back(input ? input.type() : TensorType{});
      }
      const NodeView view = node.view(types, true);
      const auto inferred = infer_types(view);
      if (inferred) {
        const std::string wrong = check_unknown(node, inferred->outputs, rng);
        CHECK_MESSAGE(wrong.empty(), base.op, " turn ", turn, ": ", wrong);
      }
      const auto got =
          evaluate_node(*node.op, *node.attrs, "n", inputs, node.outputs, std::int64_t{1} << 20);
      const bool as_wanted = turn > 0 || got.ok();
      REQUIRE_MESSAGE(as_wanted, base.op, ": ", got.ok() ? "" : got.error().message());
      if (got) {
        ++ran;
        continue;
      }
      ++refused_here;
      CHECK_MESSAGE(got.error().message().starts_with(prefix), base.op, " turn ", turn, ": ",
                    got.error().message());
    }
    CHECK_MESSAGE(refused_here > 0, base.op, " refused nothing");
    refused += refused_here;
  }
  CHECK(refused > 1000);
  CHECK(ran > 1000);
}

TEST_CASE("tensors without elements may have dims of any size") {
  constexpr std::int64_t kHuge = std::int64_t{1} << 40;
  const auto empty = [](DType dtype, const Shape& shape) { return random(dtype, shape); };
  const std::vector<Base> bases = {
      {"LRN", {empty(kF, {kHuge, 0, 1 << 20})}, nullptr},
      {"LpNormalization", {empty(kF, {kHuge, 0})}, nullptr},
      {"MeanVarianceNormalization", {empty(kF, {kHuge, 0, 1, 1})}, nullptr},
      {"CumSum", {empty(kF, {kHuge, 0}), scalar(kI, 1)}, nullptr},
      {"CumProd", {empty(kF, {kHuge, 0}), scalar(kI, 1)}, nullptr},
      {"OneHot", {int64s({}), scalar(kI, static_cast<double>(kHuge)), int64s({0, 1})}, nullptr},
      {"ReverseSequence", {empty(kF, {1 << 20, 0}), int64s({})}, nullptr},
      {"DFT", {empty(kF, {0, 3, 1}), scalar(kI, static_cast<double>(kHuge))}, nullptr},
      {"STFT",
       {empty(kF, {0, kHuge, 1}), scalar(kI, 1), absent(), scalar(kI, static_cast<double>(kHuge))},
       nullptr},
      {"Col2Im", {empty(kF, {0, 1, kHuge}), int64s({1 << 20, 1 << 20}), int64s({1, 1})}, nullptr},
      {"DeformConv",
       {empty(kF, {0, kHuge, 2, 2}), empty(kF, {0, kHuge, 1, 1}), empty(kF, {0, 2, 2, 2})},
       nullptr},
      {"NonMaxSuppression",
       {empty(kF, {kHuge, 0, 4}), empty(kF, {kHuge, 1, 0}), int64s({9})},
       nullptr},
      {"Unique", {empty(kF, {kHuge, 0})}, attrs<UniqueAttrs>([](auto& a) { a.axis = 0; }), 1},
      {"Compress",
       {empty(kF, {kHuge, 0}), values(DType::kBool, {0}, {})},
       attrs<CompressAttrs>([](auto& a) { a.axis = 1; })},
      {"Attention",
       {empty(kF, {1, 1, 1, 0}), empty(kF, {1, 1, kHuge, 0}), empty(kF, {1, 1, kHuge, 0})},
       nullptr},
      {"TensorScatter", {empty(kF, {kHuge, 2, 0}), empty(kF, {kHuge, 1, 0})}, nullptr},
      {"Resize",
       {empty(kF, {std::int64_t{1} << 31, 0}), absent(), values(kF, {2}, {1, 2})},
       nullptr},
      {"Trilu", {empty(kF, {kHuge, 0})}, nullptr},
      {"GridSample", {empty(kF, {kHuge, 0, 2, 2}), empty(kF, {kHuge, 0, 2, 2})}, nullptr},
  };
  for (const Base& base : bases) {
    Rng rng(0);
    const Node node = spoiled(base, rng, 0);
    std::vector<const Tensor*> inputs;
    for (const Tensor& input : node.inputs) inputs.push_back(input ? &input : nullptr);
    const auto got = evaluate_node(*node.op, *node.attrs, "n", inputs, node.outputs);
    CHECK_MESSAGE(got.ok(), base.op, ": ", got.ok() ? "" : got.error().message());
  }
}

}  // namespace polaris::test
