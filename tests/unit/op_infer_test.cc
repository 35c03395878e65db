#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "ir/any_rank.h"
#include "ir/evaluate.h"
#include "ir/op_attrs/conv.h"
#include "ir/op_attrs/reduce.h"
#include "ir/op_attrs/shape.h"
#include "ir/op_set.h"

// Shapes that are not known yet, and which outputs are views.
namespace polaris {
namespace {

constexpr std::int64_t kBatch = symbol_dim(0);
constexpr std::int64_t kTokens = symbol_dim(1);

Tensor ints(const std::vector<std::int64_t>& values) {
  return Tensor::from<std::int64_t>(DType::kI64, {static_cast<std::int64_t>(values.size())}, values)
      .take();
}

/// One input of infer: a type, and the value where the host knows it.
struct In {
  TensorType type;
  Tensor value;
};

In dims(const Shape& shape, DType dtype = DType::kF32) { return {{dtype, shape, {}}, {}}; }

In known(const std::vector<std::int64_t>& elements) {
  const Tensor value = ints(elements);
  return {value.type(), value};
}

struct Inferred {
  std::vector<TensorType> outputs;
  std::vector<Shape> bounds;
  std::string error;
};

Inferred infer(const char* name, const std::vector<In>& inputs, const Attrs* attrs = nullptr,
               int outputs = 1, const char* domain = "") {
  const OpDef* op = OpSet::builtin().find(name, domain);
  REQUIRE(op != nullptr);
  std::unique_ptr<Attrs> defaults = op->make_attrs != nullptr ? op->make_attrs() : nullptr;
  const NoAttrs none;
  const Attrs& used = attrs != nullptr ? *attrs
                      : defaults       ? *defaults
                                       : static_cast<const Attrs&>(none);
  NodeView view{op, &used, "n", {}, {}, static_cast<std::size_t>(outputs)};
  for (const In& in : inputs) view.add_input({&in.type, in.value ? &in.value : nullptr});
  auto out = infer_types(view);
  if (!out) return {{}, {}, out.error().message()};
  return {out->outputs, out->bounds, ""};
}

Shape shape_of(const char* name, const std::vector<In>& inputs, const Attrs* attrs = nullptr,
               const char* domain = "") {
  const Inferred out = infer(name, inputs, attrs, 1, domain);
  REQUIRE_MESSAGE(out.error.empty(), out.error);
  return out.outputs[0].shape;
}

}  // namespace

TEST_CASE("symbols pass through reshapes") {
  CHECK(shape_of("Reshape", {dims({kTokens, 64}), known({-1, 4, 16})}) == Shape{kTokens, 4, 16});
  CHECK(shape_of("Reshape", {dims({kTokens, 64}), known({0, 4, -1})}) == Shape{kTokens, 4, 16});
  CHECK(shape_of("Reshape", {dims({kTokens, 64}), known({1, -1, 64})}) == Shape{1, kTokens, 64});
  CHECK(shape_of("Reshape", {dims({kBatch, kTokens, 64}), known({0, 0, 64})}) ==
        Shape{kBatch, kTokens, 64});
  CHECK(shape_of("Reshape", {dims({kBatch, kTokens, 64}), known({-1, 64})}) ==
        Shape{kUnknownDim, 64});
  CHECK(shape_of("Reshape", {dims({kTokens, 64}), known({-1})}) == Shape{kUnknownDim});
  // The shape itself is not known, but its length is.
  CHECK(shape_of("Reshape", {dims({3, 4}), dims({3}, DType::kI64)}) ==
        Shape::filled(3, kUnknownDim));
  CHECK(shape_of("Flatten", {dims({kBatch, 3, 4})}) == Shape{kBatch, 12});
}

TEST_CASE("symbols pass through the other ops") {
  CHECK(shape_of("Add", {dims({kTokens, 64}), dims({64})}) == Shape{kTokens, 64});
  CHECK(shape_of("Add", {dims({kTokens, 1}), dims({kTokens, 64})}) == Shape{kTokens, 64});
  CHECK(shape_of("MatMul", {dims({kBatch, kTokens, 8}), dims({8, 5})}) ==
        Shape{kBatch, kTokens, 5});
  CHECK(shape_of("Linear", {dims({kTokens, 8}), dims({5, 8})}, nullptr, "polaris") ==
        Shape{kTokens, 5});
  CHECK(shape_of("Gather", {dims({100, 64}), dims({kTokens}, DType::kI32)}) == Shape{kTokens, 64});
  CHECK(shape_of("Slice", {dims({kTokens, 8}), known({2}), known({5}), known({1})}) ==
        Shape{kTokens, 3});
  CHECK(shape_of("Slice", {dims({kTokens, 8}), known({1}), known({INT64_MAX}), known({0})}) ==
        Shape{kUnknownDim, 8});
  ConcatAttrs concat;
  CHECK(shape_of("Concat", {dims({kTokens, 8}), dims({0, 8})}, &concat) == Shape{kTokens, 8});
  CHECK(shape_of("Concat", {dims({kTokens, 8}), dims({2, 8})}, &concat) == Shape{kUnknownDim, 8});
  concat.axis = 1;
  CHECK(shape_of("Concat", {dims({kTokens, 8}), dims({kTokens, 4})}, &concat) ==
        Shape{kTokens, 12});
  CHECK(shape_of("Tile", {dims({kTokens, 8}), known({1, 2})}) == Shape{kTokens, 16});
  CHECK(shape_of("Expand", {dims({1, 8}), dims({2}, DType::kI64)}).rank() == 2);
  CHECK(shape_of("Transpose", {dims({kBatch, kTokens})}) == Shape{kTokens, kBatch});
  ReduceAttrs reduce;
  CHECK(shape_of("ReduceSum", {dims({kTokens, 8}), known({1})}, &reduce) == Shape{kTokens, 1});
  ConvAttrs conv;
  CHECK(shape_of("Conv", {dims({kBatch, 3, 9, 9}), dims({4, 3, 3, 3})}, &conv) ==
        Shape{kBatch, 4, 7, 7});
  CHECK(shape_of("Conv", {dims({1, 3, kTokens, 9}), dims({4, 3, 3, 3})}, &conv) ==
        Shape{1, 4, kUnknownDim, 7});
}

TEST_CASE("a rank that only the run tells is any rank") {
  const In some = dims({kTokens}, DType::kI64);
  CHECK(shape_of("Reshape", {dims({3, 4}), some}) == any_rank());
  CHECK(shape_of("Expand", {dims({3, 4}), some}) == any_rank());
  CHECK(shape_of("ConstantOfShape", {some}) == any_rank());
  CHECK(shape_of("Unsqueeze", {dims({3, 4}), some}) == any_rank());
  CHECK(shape_of("Squeeze", {dims({3, 1}), some}) == any_rank());
  CHECK(shape_of("GatherND", {dims({3, 4}), dims({5, kTokens}, DType::kI64)}) == any_rank());
  ReduceAttrs reduce;
  CHECK(shape_of("ReduceSum", {dims({3, 4}), some}, &reduce) == Shape::filled(2, kUnknownDim));
  reduce.keepdims = false;
  CHECK(shape_of("ReduceSum", {dims({3, 4}), some}, &reduce) == any_rank());
  // A dim that is not known may be 1 and go.
  CHECK(shape_of("Squeeze", {dims({kBatch, 1, 4})}) == any_rank());
  CHECK(shape_of("Squeeze", {dims({3, 1, 4})}) == Shape{3, 4});
  // The rank is that of another input, whatever the indices are.
  CHECK(shape_of("ScatterND", {dims({3, 4}), dims({5, kTokens}, DType::kI64), dims({5})}) ==
        Shape{3, 4});
}

TEST_CASE("kernels whose size only the run tells") {
  const In w = dims({4, 3, kTokens, 3});
  ConvAttrs conv;
  CHECK(shape_of("Conv", {dims({kBatch, 3, 9, 9}), w}, &conv) ==
        Shape{kBatch, 4, kUnknownDim, kUnknownDim});
  ConvTransposeAttrs transposed;
  CHECK(shape_of("ConvTranspose", {dims({1, 4, 9, 9}), w}, &transposed) ==
        Shape{1, 3, kUnknownDim, kUnknownDim});
}

TEST_CASE("a pool's window may be larger than its input, until the formula falls below 0") {
  PoolAttrs pool;
  pool.kernel_shape = {3};
  CHECK(infer("MaxPool", {dims({1, 1, 1})}, &pool).error.find("extent of 3, wanted at most") !=
        std::string::npos);
  CHECK(shape_of("MaxPool", {dims({1, 1, 2})}, &pool) == Shape{1, 1, 0});
  pool.strides = {2};
  CHECK(shape_of("AveragePool", {dims({1, 1, 1})}, &pool) == Shape{1, 1, 0});
  pool.ceil_mode = true;
  CHECK(shape_of("AveragePool", {dims({1, 1, 2})}, &pool) == Shape{1, 1, 1});
  CHECK(shape_of("AveragePool", {dims({1, 1, 1})}, &pool) == Shape{1, 1, 0});
  pool.kernel_shape = {4};  // ceil((1 - 4) / 2 + 1) is 0, ceil((1 - 5) / 2 + 1) is -1
  CHECK(shape_of("MaxPool", {dims({1, 1, 1})}, &pool) == Shape{1, 1, 0});
  pool.kernel_shape = {5};
  CHECK(infer("MaxPool", {dims({1, 1, 1})}, &pool).error.find("extent of 5, wanted at most") !=
        std::string::npos);
}

TEST_CASE("what data decides is bounded") {
  const Inferred out = infer("NonZero", {dims({3, 5})});
  REQUIRE(out.error.empty());
  CHECK(out.outputs[0].shape == Shape{2, kUnknownDim});
  CHECK(out.bounds[0] == Shape{2, 15});
}

TEST_CASE("nodes that lack inputs or have too many are told so") {
  CHECK(infer("Add", {dims({2})}).error == "[Add] node 'n': input 1 (B) is missing");
  CHECK(infer("Relu", {dims({2}), dims({2})}).error ==
        "[Relu] node 'n': inputs, got 2, wanted at most 1");
  CHECK(infer("Relu", {dims({2})}, nullptr, 2).error ==
        "[Relu] node 'n': outputs, got 2, wanted at most 1");
  CHECK(infer("Sum", {}).error == "[Sum] node 'n': input 0 (data_0) is missing");
}

TEST_CASE("hostile sizes are errors, not overflows") {
  const std::int64_t huge = INT64_MAX;
  CHECK(!infer("Unsqueeze", {dims({2}), known(std::vector<std::int64_t>(9, 0))}).error.empty());
  CHECK(!infer("Reshape", {dims({2}), known(std::vector<std::int64_t>(9, 1))}).error.empty());
  CHECK(!infer("Conv", {dims({1, 1, huge, huge}), dims({1, 1, 3, 3})}).error.empty());
  ConvAttrs conv;
  conv.pads = {huge, huge, huge, huge};
  CHECK(!infer("Conv", {dims({1, 1, 5, 5}), dims({1, 1, 3, 3})}, &conv).error.empty());
  conv.pads = {};
  conv.group = huge;
  CHECK(!infer("Conv", {dims({1, 1, 5, 5}), dims({1, 1, 3, 3})}, &conv).error.empty());
  CHECK(!infer("Tile", {dims({2}), known({-1})}).error.empty());
  CHECK(infer("Tile", {dims({huge}), known({huge})}).outputs[0].shape == Shape{kUnknownDim});
  PadAttrs pad;
  CHECK(!infer("Pad", {dims({2}), known({huge, huge})}, &pad).error.empty());
  SplitAttrs split;
  CHECK(!infer("Split", {dims({2}), known({huge, huge})}, &split, 2).error.empty());
  CHECK(!infer("ConstantOfShape", {known({-5})}).error.empty());
}

namespace {

/// view() of output or part() of an input, in bytes; -1: neither.
std::int64_t offset(const char* name, const std::vector<In>& inputs, const Attrs* attrs, int index,
                    bool part = false, int outputs = 1) {
  const OpDef* op = OpSet::builtin().find(name);
  const Inferred out = infer(name, inputs, attrs, outputs);
  REQUIRE_MESSAGE(out.error.empty(), out.error);
  std::vector<TensorType> types;
  std::vector<const Tensor*> values;
  for (const In& in : inputs) {
    types.push_back(in.type);
    values.push_back(in.value ? &in.value : nullptr);
  }
  const NodeTypes node{op, attrs, types, out.outputs, values};
  const auto view = part ? op->part(node, index) : op->view(node, index);
  return view ? view->offset_bytes : -1;
}

}  // namespace

TEST_CASE("views and parts lie where they should") {
  const auto slice = [](const Shape& x, const std::vector<std::int64_t>& starts,
                        const std::vector<std::int64_t>& ends) {
    return offset("Slice", {dims(x), known(starts), known(ends)}, nullptr, 0);
  };
  CHECK(slice({6, 5}, {2}, {4}) == 2 * 5 * 4);
  CHECK(slice({6, 5}, {0, 1}, {6, 5}) == -1);
  CHECK(slice({6, 5}, {3, 1}, {4, 3}) == (3 * 5 + 1) * 4);
  CHECK(slice({1, 6, 5}, {0, 2}, {1, 3}) == 2 * 5 * 4);
  CHECK(slice({6, 5}, {0, 0}, {6, 5}) == 0);
  SplitAttrs split;
  CHECK(offset("Split", {dims({6, 5}), known({2, 4})}, &split, 1, false, 2) == 2 * 5 * 4);
  split.axis = 1;
  CHECK(offset("Split", {dims({6, 4}), known({2, 2})}, &split, 1, false, 2) == -1);
  ConcatAttrs concat;
  CHECK(offset("Concat", {dims({2, 5}), dims({3, 5})}, &concat, 1, true) == 2 * 5 * 4);
  concat.axis = 1;
  CHECK(offset("Concat", {dims({2, 5}), dims({2, 3})}, &concat, 1, true) == -1);
  CHECK(offset("Concat", {dims({1, 5}), dims({1, 3})}, &concat, 1, true) == 5 * 4);
  TransposeAttrs transpose;
  transpose.perm = {1, 0, 2};
  CHECK(offset("Transpose", {dims({1, 5, 3})}, &transpose, 0) == 0);
  CHECK(offset("Transpose", {dims({2, 5, 3})}, &transpose, 0) == -1);
  CHECK(offset("Expand", {dims({3, 5}), known({1, 3, 5})}, nullptr, 0) == 0);
  CHECK(offset("Expand", {dims({3, 1}), known({3, 5})}, nullptr, 0) == -1);
}

}  // namespace polaris
