#include "arch/adapter/adapted_linear.h"

#include <utility>
#include <vector>

#include "arch/common_builder.h"
#include "base/bytes.h"
#include "base/strings.h"
#include "ir/op_attrs/reduce.h"

namespace polaris {
namespace {

/// Rows [first, first + count) of every matrix of b[E, N, R].
Result<Tensor> rows_of(const Tensor& b, const AdaptedRows& rows) {
  const Shape& shape = b.shape();
  if (rows.count == shape[1]) return b;
  auto out = Tensor::allocate(DType::kF32, {shape[0], rows.count, shape[2]});
  if (!out) return out;
  for (std::int64_t e = 0; e < shape[0]; ++e) {
    std::copy_n(b.data<float>() + (e * shape[1] + rows.first) * shape[2], rows.count * shape[2],
                out->mutable_data<float>() + e * rows.count * shape[2]);
  }
  return out;
}

/// A x, and B.
const AdaptersInUse::Lowered* lowered(ArchBuilder& b, const AdaptedMatrix& matrix, ValueId x) {
  AdaptersInUse& use = b.adapters();
  if (const auto at = use.built.find(matrix.name); at != use.built.end()) return &at->second;
  auto stack = stack_adapters(*use.set, matrix);
  if (!stack) return b.fail(stack.error()), nullptr;
  const std::string name = matrix.name + ".lora_a";
  const ValueId rows = b.reshape(name + ".rows", x, {-1, 1, matrix.inputs});
  const ValueId a = b.constant(name, std::move(stack->a));
  const ValueId low = b.apply("polaris.RoutedMatMul", name + ".low", {rows, a, use.ids});
  return &use.built.emplace(matrix.name, AdaptersInUse::Lowered{low, std::move(stack->b)})
              .first->second;
}

/// The sum over a row's adapters, [rows, adapters, N].
ValueId summed(ArchBuilder& b, const std::string& name, ValueId parts, std::int64_t outputs) {
  if (b.adapters().set->per_text == 1) return b.reshape(name, parts, {-1, outputs});
  auto axes = Tensor::from<std::int64_t>(DType::kI64, Shape{1}, std::vector<std::int64_t>{1});
  if (!axes) return b.fail(axes.error()), kNoValue;
  auto attrs = std::make_unique<ReduceAttrs>();
  attrs->keepdims = false;
  return b.apply("ReduceSum", name, {parts, b.constant(name + ".axes", axes.take())},
                 std::move(attrs));
}

}  // namespace

ValueId adapted(ArchBuilder& b, const std::string& name, const AdaptedMatrix& matrix,
                const AdaptedRows& rows, ValueId x, ValueId y) {
  const AdaptersInUse& use = b.adapters();
  if (!b.ok() || !use.ids.valid() || !adapts(*use.set, matrix.name)) return y;
  const AdaptersInUse::Lowered* of = lowered(b, matrix, x);
  if (of == nullptr) return y;
  auto part = rows_of(of->b, rows);
  if (!part) return b.fail(part.error()), kNoValue;
  const ValueId raise = b.constant(name + ".lora_b", part.take());
  const ValueId high =
      b.apply("polaris.RoutedMatMul", name + ".lora_b.high", {of->low, raise, use.ids});
  return b.apply("Add", name + ".adapted", {y, summed(b, name + ".lora", high, rows.count)});
}

void check_adapters_fit(ArchBuilder& b) {
  if (b.adapters().set == nullptr) return;
  for (const Adapter& adapter : b.adapters().set->adapters) {
    if (adapter.architecture.empty() || adapter.architecture == b.architecture()) continue;
    b.fail(Error::invalid("[lora] '" + printable(adapter.file) + "' general.architecture, got '" +
                          printable(adapter.architecture) + "', wanted '" + b.architecture() +
                          "', the base's"));
  }
}

void check_adapters_built(ArchBuilder& b) {
  if (b.adapters().set == nullptr) return;
  for (const Adapter& adapter : b.adapters().set->adapters) {
    for (const auto& [matrix, pair] : adapter.pairs) {
      if (b.adapters().built.contains(matrix)) continue;
      const std::string what =
          b.has_weight(matrix) ? "a matrix that takes no adapter here" : "none of the base's";
      b.fail(Error::invalid(adapter_tensor_text(adapter, pair.a_name) + "got " + what +
                            ", wanted one of a linear layer of the base"));
    }
  }
}

}  // namespace polaris
