// Gather of plain and encoded data, GatherElements, GatherND.
#include <cstring>
#include <memory>

#include "backend/cpu/convert.h"
#include "backend/cpu/kernel.h"
#include "backend/cpu/rows.h"
#include "backend/cpu/run_error.h"
#include "backend/cpu/weights.h"
#include "base/bytes.h"
#include "ir/op_attrs/gather.h"
#include "tensor/block_format.h"

namespace polaris::cpu {
namespace {

std::int64_t load_index(const Launch& l, bool wide, std::int64_t i) {
  return wide ? l.in<std::int64_t>(1)[i] : l.in<std::int32_t>(1)[i];
}

struct GatherShape {
  std::int64_t outer = 1, size = 1, inner = 1, count = 1;
  ElementWidth width{1};
  bool wide = false;
};

GatherShape gather_shape(const NodeDesc& node, int axis) {
  const TensorType& data = node.inputs[0].type;
  const TensorType& indices = node.inputs[1].type;
  return {data.shape.elements_between(0, axis),
          data.shape[axis],
          data.shape.elements_between(axis + 1, data.shape.rank()),
          indices.shape.elements(),
          width_of(data.dtype),
          indices.dtype == DType::kI64};
}

/// Calls row(output row, input row) for every gathered row of `inner` elements.
template <class Row>
Status gather_rows(const GatherShape& g, const Launch& l, Row row) {
  RunError error;
  parallel_rows(*l.pool, g.outer * g.count, g.inner, [&](std::int64_t from, std::int64_t to, int) {
    for (std::int64_t i = from; i < to; ++i) {
      const std::int64_t given = load_index(l, g.wide, i % g.count);
      const std::int64_t index = given < 0 ? given + g.size : given;
      if (index < 0 || index >= g.size) {
        error.set(i, given);
        return;
      }
      row(i, i / g.count * g.size + index);
    }
  });
  return error.status("[Gather] index", g.size);
}

KernelResult select_gather(const CpuTarget& target, const NodeDesc& node) {
  const OperandDesc& data = node.inputs[0];
  const auto axis = normalize_axis(node.attributes<GatherAttrs>().axis, data.type.shape.rank());
  if (!axis) return unsupported(node, "axis out of range");
  const GatherShape g = gather_shape(node, *axis);
  if (data.type.encoding.is_plain()) {
    return KernelResult(make_kernel("gather", [g](const Launch& l) {
      const std::int64_t bytes = g.width.of(g.inner);
      return gather_rows(g, l, [&](std::int64_t to, std::int64_t from) {
        if (bytes > 0) {
          copy_bytes(l.outputs[0] + to * bytes, l.inputs[0] + from * bytes,
                     static_cast<std::size_t>(bytes));
        }
      });
    }));
  }
  if (node.outputs[0].type.dtype != DType::kF32)
    return unsupported(node, "decodes to float32 only");
  if (data.type.encoding.is_block()) {
    const BlockFormat format = data.type.encoding.format;
    const BlockFormatInfo& info = block_format_info(format);
    const Simd::DecodeFn decode = target.simd->block_decoder(format);
    const std::int64_t bytes = g.inner / info.block_elements * info.block_bytes;
    return KernelResult(
        make_kernel("gather_" + std::string(info.name), [g, decode, bytes](const Launch& l) {
          return gather_rows(g, l, [&](std::int64_t to, std::int64_t from) {
            decode(l.inputs[0] + from * bytes, l.out<float>(0) + to * g.inner, g.inner);
          });
        }));
  }
  if (data.constant == nullptr) return unsupported(node, "encoded data must be a constant");
  auto kept = std::make_shared<const Constant>(*data.constant);
  auto kernel = make_kernel("gather_affine", [g, kept](const Launch& l) {
    return gather_rows(g, l, [&](std::int64_t to, std::int64_t from) {
      decode_constant(*kept, from * g.inner, g.inner, l.out<float>(0) + to * g.inner);
    });
  });
  kernel->absorb(0);
  return KernelResult(std::move(kernel));
}

/// Output index along one axis replaced by the index tensor's value.
KernelResult select_elements(const NodeDesc& node) {
  const TensorType& data = node.inputs[0].type;
  const TensorType& indices = node.inputs[1].type;
  const auto axis = normalize_axis(node.attributes<GatherAttrs>().axis, data.shape.rank());
  if (!axis) return unsupported(node, "axis out of range");
  return KernelResult(make_kernel(
      "gather_elements",
      [from = data.shape, to = indices.shape, at = *axis, strides = row_major_strides(data.shape),
       width = width_of(data.dtype), wide = indices.dtype == DType::kI64](const Launch& l) {
        RunError error;
        parallel_rows(*l.pool, to.elements(), 8, [&](std::int64_t begin, std::int64_t end, int) {
          for (std::int64_t i = begin; i < end; ++i) {
            std::int64_t rest = i;
            std::int64_t offset = 0;
            for (int d = to.rank() - 1; d >= 0; --d) {
              if (d != at) offset += rest % to[d] * strides[d];
              rest /= to[d];
            }
            const std::int64_t given = load_index(l, wide, i);
            const std::int64_t index = given < 0 ? given + from[at] : given;
            if (index < 0 || index >= from[at]) {
              error.set(i, given);
              return;
            }
            copy_bytes(l.outputs[0] + width.of(i),
                       l.inputs[0] + width.of(offset + index * strides[at]),
                       static_cast<std::size_t>(width.of(1)));
          }
        });
        return error.status("[GatherElements] index", from[at]);
      }));
}

KernelResult select_nd(const NodeDesc& node) {
  const TensorType& data = node.inputs[0].type;
  const TensorType& indices = node.inputs[1].type;
  const std::int64_t batch_dims = node.attributes<GatherNdAttrs>().batch_dims;
  if (indices.dtype != DType::kI64 && indices.dtype != DType::kI32) {
    return unsupported(node, "index type");
  }
  if (batch_dims < 0 || batch_dims >= indices.shape.rank()) {
    return unsupported(node, "batch_dims out of range");
  }
  const auto b = static_cast<int>(batch_dims);
  const std::int64_t depth = indices.shape.back();
  if (depth + b > data.shape.rank()) return unsupported(node, "indices deeper than the data");
  const int tail = b + static_cast<int>(depth);
  const std::int64_t run = data.shape.elements_between(tail, data.shape.rank());
  const std::int64_t tuples = indices.shape.elements_between(0, indices.shape.rank() - 1);
  const std::int64_t batches = data.shape.elements_between(0, b);
  return KernelResult(make_kernel(
      "gather_nd",
      [shape = data.shape, b, depth, run, tuples, per_batch = batches > 0 ? tuples / batches : 0,
       batch_size = data.shape.elements_between(b, data.shape.rank()), width = width_of(data.dtype),
       wide = indices.dtype == DType::kI64](const Launch& l) {
        RunError error;
        parallel_rows(*l.pool, tuples, run + depth, [&](std::int64_t from, std::int64_t to, int) {
          for (std::int64_t i = from; i < to; ++i) {
            std::int64_t offset = 0;
            for (std::int64_t d = 0; d < depth; ++d) {
              const std::int64_t size = shape[b + static_cast<int>(d)];
              const std::int64_t given = load_index(l, wide, i * depth + d);
              const std::int64_t index = given < 0 ? given + size : given;
              if (index < 0 || index >= size) {
                error.set(i, given);
                return;
              }
              offset = offset * size + index;
            }
            const std::int64_t start = i / per_batch * batch_size + offset * run;
            if (run > 0) {
              copy_bytes(l.outputs[0] + width.of(i * run), l.inputs[0] + width.of(start),
                         static_cast<std::size_t>(width.of(run)));
            }
          }
        });
        return error.status("[GatherND] index", shape.rank() > 0 ? shape[b] : 0);
      }));
}

KernelResult select(const CpuTarget& target, const NodeDesc& node) {
  if (node.inputs[1].type.dtype != DType::kI64 && node.inputs[1].type.dtype != DType::kI32) {
    return unsupported(node, "index type");
  }
  if (node.op->name == "Gather") return select_gather(target, node);
  if (node.op->name == "GatherElements") return select_elements(node);
  return select_nd(node);
}

constexpr std::string_view kOps[] = {"Gather", "GatherElements", "GatherND"};

}  // namespace

extern const KernelFamily family_gather;
constinit const KernelFamily family_gather{"gather", kOps, one_kernel<select>};

}  // namespace polaris::cpu
