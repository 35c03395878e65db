// ScatterElements and ScatterND: in index order, so that the last of equal targets wins and sums
// have one order.
#include <cstring>

#include "backend/cpu/kernel.h"
#include "base/bytes.h"
#include "ir/op_attrs/gather.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/extremum.h"
#include "tensor/element.h"

namespace polaris::cpu {
namespace {

enum class Reduction : std::uint8_t { kNone, kAdd, kMul, kMax, kMin };

Reduction reduction_of(const std::string& name) {
  if (name == "add") return Reduction::kAdd;
  if (name == "mul") return Reduction::kMul;
  if (name == "max") return Reduction::kMax;
  return name == "min" ? Reduction::kMin : Reduction::kNone;
}

template <class T>
T combine(Reduction r, T old, T update) {
  if constexpr (std::is_same_v<T, float> || std::is_same_v<T, double>) {
    switch (r) {
      case Reduction::kAdd: return old + update;
      case Reduction::kMul: return old * update;
      case Reduction::kMax: return larger(old, update);
      case Reduction::kMin: return smaller(old, update);
      case Reduction::kNone: return update;
    }
  } else if constexpr (std::is_integral_v<T>) {
    const auto a = static_cast<std::uint64_t>(old);
    const auto b = static_cast<std::uint64_t>(update);
    switch (r) {
      case Reduction::kAdd: return static_cast<T>(a + b);
      case Reduction::kMul: return static_cast<T>(a * b);
      case Reduction::kMax: return larger(old, update);
      case Reduction::kMin: return smaller(old, update);
      case Reduction::kNone: return update;
    }
  } else {
    if (r != Reduction::kNone) return from_f64<T>(combine(r, to_f64(old), to_f64(update)));
  }
  return update;
}

std::int64_t index_at(const Launch& l, bool wide, std::int64_t i) {
  return wide ? l.in<std::int64_t>(1)[i] : l.in<std::int32_t>(1)[i];
}

Error bad_index(std::string_view op, std::int64_t got, std::int64_t size) {
  return Error::invalid("[" + std::string(op) + "] index, got " + std::to_string(got) +
                        ", wanted one below " + std::to_string(size));
}

void copy_data(const Launch& l, std::int64_t bytes) {
  if (l.inputs[0] == l.outputs[0] || bytes == 0) return;
  copy_bytes(l.outputs[0], l.inputs[0], static_cast<std::size_t>(bytes));
}

template <class T>
KernelResult elements_kernel(const Shape& data, const Shape& indices, int axis, bool wide,
                             Reduction reduction) {
  return KernelResult(make_kernel("scatter_elements", [=](const Launch& l) -> Status {
    copy_data(l, data.elements() * static_cast<std::int64_t>(sizeof(T)));
    const Shape strides = row_major_strides(data);
    Shape others = strides;
    others[axis] = 0;
    Walk walk(indices);
    const int base = walk.add(others);
    for (std::int64_t i = 0, n = walk.size(); i < n; ++i, walk.next()) {
      const std::int64_t given = index_at(l, wide, i);
      const std::int64_t index = given < 0 ? given + data[axis] : given;
      if (index < 0 || index >= data[axis]) return bad_index("ScatterElements", given, data[axis]);
      T& to = l.out<T>(0)[walk[base] + index * strides[axis]];
      to = combine(reduction, to, l.in<T>(2)[i]);
    }
    return Status::success();
  }));
}

template <class T>
KernelResult nd_kernel(const Shape& data, const Shape& indices, bool wide, Reduction reduction) {
  const auto depth = static_cast<int>(indices.back());
  const std::int64_t run = data.elements_between(depth, data.rank());
  const std::int64_t tuples = indices.elements_between(0, indices.rank() - 1);
  return KernelResult(make_kernel("scatter_nd", [=](const Launch& l) -> Status {
    copy_data(l, data.elements() * static_cast<std::int64_t>(sizeof(T)));
    for (std::int64_t t = 0; t < tuples; ++t) {
      std::int64_t at = 0;
      for (int d = 0; d < depth; ++d) {
        const std::int64_t given = index_at(l, wide, t * depth + d);
        const std::int64_t index = given < 0 ? given + data[d] : given;
        if (index < 0 || index >= data[d]) return bad_index("ScatterND", given, data[d]);
        at = at * data[d] + index;
      }
      T* to = l.out<T>(0) + at * run;
      for (std::int64_t i = 0; i < run; ++i) {
        to[i] = combine(reduction, to[i], l.in<T>(2)[t * run + i]);
      }
    }
    return Status::success();
  }));
}

KernelResult select(const CpuTarget&, const NodeDesc& node) {
  const TensorType& data = node.inputs[0].type;
  const TensorType& indices = node.inputs[1].type;
  if (indices.dtype != DType::kI64 && indices.dtype != DType::kI32) {
    return unsupported(node, "index type");
  }
  const bool wide = indices.dtype == DType::kI64;
  return with_dtype(data.dtype, [&](auto tag) -> KernelResult {
    using T = decltype(tag);
    if (node.op->name == "ScatterND") {
      const auto& attrs = node.attributes<ScatterNdAttrs>();
      if (indices.shape.back() > data.shape.rank()) return unsupported(node, "indices too deep");
      return nd_kernel<T>(data.shape, indices.shape, wide, reduction_of(attrs.reduction));
    }
    const auto& attrs = node.attributes<ScatterElementsAttrs>();
    const auto axis = normalize_axis(attrs.axis, data.shape.rank());
    if (!axis) return unsupported(node, "axis out of range");
    return elements_kernel<T>(data.shape, indices.shape, *axis, wide,
                              reduction_of(attrs.reduction));
  });
}

constexpr std::string_view kOps[] = {"ScatterElements", "ScatterND"};

}  // namespace

extern const KernelFamily family_scatter;
constinit const KernelFamily family_scatter{"scatter", kOps, one_kernel<select>};

}  // namespace polaris::cpu
