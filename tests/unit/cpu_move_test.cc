#include <doctest/doctest.h>

#include "ir/op_attrs/chain.h"
#include "ir/op_attrs/gather.h"
#include "ir/op_attrs/reduce.h"
#include "ir/op_attrs/shape.h"
#include "support/cpu_case.h"
#include "tensor/element.h"

using namespace polaris;
using namespace polaris::test;

namespace {

Tensor f32(const Shape& shape, std::uint32_t seed) {
  return random_tensor(DType::kF32, shape, seed);
}

}  // namespace

TEST_CASE("cpu: elements are moved for every width of element") {
  for (const DType dtype : {DType::kU8, DType::kF16, DType::kF32, DType::kI64}) {
    const Tensor x = random_tensor(dtype, {3, 5, 7}, 1, 100);
    for (const std::vector<std::int64_t>& perm :
         {std::vector<std::int64_t>{}, {0, 2, 1}, {1, 0, 2}, {2, 0, 1}, {0, 1, 2}}) {
      auto attrs = std::make_shared<TransposeAttrs>();
      attrs->perm = perm;
      const bool moves = perm.empty() || perm[0] != 0 || perm[1] != 1;
      // Planes of 4-byte elements whose two axes change places have a kernel of their own.
      const bool planes = !perm.empty() && perm[1] != 1 && perm[2] == 1;
      const bool turns = planes && dtype == DType::kF32;
      check_cpu({.op = "Transpose", .attrs = attrs, .inputs = {x}}, turns
                                                                        ? "move Transpose by tiles"
                                                                    : moves ? "move Transpose"
                                                                            : "copy");
    }
    CpuCase slice{.op = "Slice"};
    slice.inputs = {x, ints_i64({-1, 1}), ints_i64({-100, 6}), ints_i64({0, 2}), ints_i64({-1, 2})};
    slice.constants = {1, 2, 3, 4};
    check_cpu(slice, "move Slice");
    CpuCase expand{.op = "Expand",
                   .inputs = {random_tensor(dtype, {5, 1}, 2, 50), ints_i64({2, 5, 6})}};
    expand.constants = {1};
    check_cpu(expand, "move Expand");
    CpuCase tile{.op = "Tile", .inputs = {x, ints_i64({2, 1, 3})}};
    tile.constants = {1};
    check_cpu(tile, "move Tile");
    auto concat = std::make_shared<ConcatAttrs>();
    concat->axis = 1;
    check_cpu({.op = "Concat",
               .attrs = concat,
               .inputs = {x, random_tensor(dtype, {3, 1, 7}, 3, 50),
                          random_tensor(dtype, {3, 0, 7}, 4, 50)}},
              "concat");
    auto split = std::make_shared<SplitAttrs>();
    split->axis = 2;
    CpuCase parts{.op = "Split", .attrs = split, .inputs = {x, ints_i64({2, 0, 5})}};
    parts.constants = {1};
    parts.outputs = 3;
    check_cpu(parts, "split");
    for (const char* mode : {"constant", "reflect", "edge", "wrap"}) {
      auto pad = std::make_shared<PadAttrs>();
      pad->mode = mode;
      CpuCase c{.op = "Pad", .attrs = pad, .inputs = {x, ints_i64({1, 2, -1, 0, 3, 4})}};
      c.constants = {1};
      check_cpu(c, "pad_");
    }
  }
}

TEST_CASE("cpu: gathers and scatters") {
  const Tensor x = f32({4, 5, 6}, 1);
  auto axis = std::make_shared<GatherAttrs>();
  axis->axis = 1;
  check_cpu({.op = "Gather", .attrs = axis, .inputs = {x, ints_i64({4, -5, 0})}}, "gather");
  const Tensor index = random_tensor(DType::kI64, {4, 3, 6}, 2, 4);
  check_cpu({.op = "GatherElements", .attrs = axis, .inputs = {x, index}}, "gather_elements");
  const Tensor tuples =
      *Tensor::from_bytes({DType::kI64, {3, 2}, {}}, ints_i64({0, 4, -1, 2, 3, 0}).bytes());
  check_cpu({.op = "GatherND", .inputs = {x, tuples}}, "gather_nd");
  for (const char* reduction : {"none", "add", "mul", "max", "min"}) {
    auto nd = std::make_shared<ScatterNdAttrs>();
    nd->reduction = reduction;
    check_cpu({.op = "ScatterND", .attrs = nd, .inputs = {x, tuples, f32({3, 6}, 3)}},
              "scatter_nd");
    auto elements = std::make_shared<ScatterElementsAttrs>();
    elements->axis = 1;
    elements->reduction = reduction;
    check_cpu({.op = "ScatterElements", .attrs = elements, .inputs = {x, index, f32({4, 3, 6}, 4)}},
              "scatter_elements");
  }
}

TEST_CASE("cpu: lines: ArgMax, CumSum, TopK") {
  for (const DType dtype : {DType::kF32, DType::kI32, DType::kU8}) {
    for (const std::int64_t axis : {0, 1, 2}) {
      const Tensor x = random_tensor(dtype, {4, 9, 3}, 5, 4);  // few values: many equals
      auto arg = std::make_shared<ArgReduceAttrs>();
      arg->axis = axis;
      arg->select_last_index = axis == 1;
      check_cpu({.op = "ArgMax", .attrs = arg, .inputs = {x}}, "arg_reduce");
      check_cpu({.op = "ArgMin", .attrs = arg, .inputs = {x}}, "arg_reduce");
      auto cum = std::make_shared<CumSumAttrs>();
      cum->exclusive = axis == 0;
      cum->reverse = axis == 1;
      CpuCase c{.op = "CumSum", .attrs = cum, .inputs = {x, ints_i64({axis})}};
      c.constants = {1};
      check_cpu(c, "cum_sum");
      auto top = std::make_shared<TopKAttrs>();
      top->axis = axis;
      top->largest = axis != 2;
      CpuCase k{.op = "TopK", .attrs = top, .inputs = {x, ints_i64({3})}};
      k.constants = {1};
      k.outputs = 2;
      check_cpu(k, "top_k");
    }
  }
}

TEST_CASE("cpu: Chain equals its steps, with operands that broadcast") {
  auto attrs = std::make_shared<ChainAttrs>();
  attrs->ops = {"Sigmoid", "Mul", "Add", "Sin", "Tanh"};
  // sin(x * sigmoid(x) + row), then tanh; the scalar joins by Add too.
  attrs->args = {0, -1, -1, 0, 3, -1, 4, 1, -1, 5, -1, -1, 6, -1, -1};
  CpuCase c{.op = "Chain", .domain = "polaris", .attrs = attrs};
  c.inputs = {f32({5, 1237}, 1), f32({1237}, 2), f32({}, 3)};
  check_cpu(c, "chain_float32");
  attrs->ops = {"Exp", "Add"};
  attrs->args = {1, -1, -1, 0, 2, -1};
  c.inputs = {f32({5, 7}, 1), f32({1}, 2)};
  check_cpu(c, "chain_float32");
}
