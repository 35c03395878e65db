// Shape, Size, Range, ConstantOfShape and NonZero.
#include <memory>
#include <vector>

#include "backend/cpu/kernel.h"
#include "backend/cpu/rows.h"
#include "base/bytes.h"
#include "ir/op_attrs/shape.h"
#include "tensor/element.h"

namespace polaris::cpu {
namespace {

/// An output known when the node is chosen.
KernelResult known_output(std::string name, std::vector<std::int64_t> values) {
  return KernelResult(make_kernel(std::move(name), [values = std::move(values)](const Launch& l) {
    copy_bytes(l.outputs[0], values.data(), values.size() * 8);
  }));
}

KernelResult select_shape(const NodeDesc& node) {
  const auto& attrs = node.attributes<ShapeAttrs>();
  const Shape& in = node.inputs[0].type.shape;
  const auto place = [&](std::int64_t v) {
    if (v < 0) v = std::max<std::int64_t>(v, -in.rank()) + in.rank();
    return static_cast<int>(std::min<std::int64_t>(v, in.rank()));
  };
  std::vector<std::int64_t> dims;
  for (int i = place(attrs.start); i < place(attrs.end); ++i) dims.push_back(in[i]);
  return known_output("shape", std::move(dims));
}

KernelResult select_range(const NodeDesc& node) {
  const std::int64_t n = node.outputs[0].type.shape.elements();
  const DType dtype = node.outputs[0].type.dtype;
  if (node.values.size() < 3 || node.values[0] == nullptr || node.values[2] == nullptr) {
    return unsupported(node, "its limits are not known when it is planned");
  }
  // What the host reads has no operand: the values are kept.
  const Tensor start = *node.values[0];
  const Tensor delta = *node.values[2];
  return KernelResult(make_kernel("range", [n, dtype, start, delta](const Launch& l) {
    parallel_rows(*l.pool, n, 1, [&](std::int64_t from, std::int64_t to, int) {
      for (std::int64_t i = from; i < to; ++i) {
        if (is_float(dtype)) {
          store_f64(dtype, l.outputs[0], i,
                    element_as_f64(start, 0) + static_cast<double>(i) * element_as_f64(delta, 0));
        } else {
          store_i64(dtype, l.outputs[0], i,
                    element_as_i64(start, 0) + i * element_as_i64(delta, 0));
        }
      }
    });
  }));
}

KernelResult select_constant(const NodeDesc& node) {
  const Tensor& value = node.attributes<ConstantOfShapeAttrs>().value;
  std::uint64_t bits = 0;
  const ElementWidth width = width_of(node.outputs[0].type.dtype);
  if (value) copy_bytes(&bits, value.bytes().data(), static_cast<std::size_t>(width.raw()));
  const std::int64_t n = node.outputs[0].type.shape.elements();
  return KernelResult(make_kernel("constant_of_shape", [bits, width, n](const Launch& l) {
    parallel_rows(*l.pool, n, 1, [&](std::int64_t from, std::int64_t to, int) {
      for (std::int64_t i = from; i < to; ++i) {
        copy_bytes(l.outputs[0] + width.of(i), &bits, static_cast<std::size_t>(width.raw()));
      }
    });
  }));
}

template <class T>
bool is_zero(T v) {
  if constexpr (std::is_arithmetic_v<T>) {
    return v == T{0};
  } else {
    return to_f64(v) == 0.0;
  }
}

/// Two passes, in order: the count places the rows of the result.
template <class T>
void non_zero(const Launch& l, const Shape& shape) {
  const auto* x = l.in<T>(0);
  const std::int64_t n = shape.elements();
  std::int64_t count = 0;
  for (std::int64_t i = 0; i < n; ++i) count += is_zero(x[i]) ? 0 : 1;
  auto* y = l.out<std::int64_t>(0);
  auto* dims = l.out<std::int64_t>(1);
  std::int64_t found = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    if (is_zero(x[i])) continue;
    std::int64_t rest = i;
    for (int d = shape.rank() - 1; d >= 0; --d) {
      y[d * count + found] = rest % shape[d];
      rest /= shape[d];
    }
    ++found;
  }
  dims[0] = shape.rank();
  dims[1] = count;
}

KernelResult select_non_zero(const NodeDesc& node) {
  const TensorType& type = node.inputs[0].type;
  if (node.outputs.size() < 2) return unsupported(node, "no operand for the actual dims");
  return with_dtype(type.dtype, [&](auto tag) {
    using T = decltype(tag);
    return KernelResult(
        make_kernel("non_zero", [shape = type.shape](const Launch& l) { non_zero<T>(l, shape); }));
  });
}

KernelResult select(const CpuTarget&, const NodeDesc& node) {
  const std::string_view op = node.op->name;
  if (op == "Shape") return select_shape(node);
  if (op == "Size") return known_output("size", {node.inputs[0].type.shape.elements()});
  if (op == "Range") return select_range(node);
  if (op == "ConstantOfShape") return select_constant(node);
  return select_non_zero(node);
}

constexpr std::string_view kOps[] = {"Shape", "Size", "Range", "ConstantOfShape", "NonZero"};

}  // namespace

extern const KernelFamily family_fill;
constinit const KernelFamily family_fill{"fill", kOps, one_kernel<select>};

}  // namespace polaris::cpu
