// RMSNormalization and LayerNormalization over trailing axes; Batch, Instance and
// GroupNormalization as one scale and shift a channel.
#include <cmath>

#include "backend/cpu/convert.h"
#include "backend/cpu/kernel.h"
#include "backend/cpu/rows.h"
#include "ir/op_attrs/normalization.h"

namespace polaris::cpu {
namespace {

float inverse_deviation(float variance, float epsilon) {
  return 1.0f / std::sqrt(variance + epsilon);
}

/// Rows of `width`; every operand float32.
struct RowNorm {
  const Simd* simd;
  std::int64_t rows;
  std::int64_t width;
  float epsilon;
};

bool all_f32(const NodeDesc& node) {
  for (const OperandDesc& in : node.inputs) {
    if (in.present && (in.type.dtype != DType::kF32 || !in.type.encoding.is_plain())) return false;
  }
  for (const OperandDesc& out : node.outputs) {
    if (out.present && out.type.dtype != DType::kF32) return false;
  }
  return true;
}

bool present(const NodeDesc& node, std::size_t i) {
  return i < node.inputs.size() && node.inputs[i].present;
}

RowNorm row_norm(const CpuTarget& target, const Shape& x, std::int64_t axis, float epsilon) {
  const int at = normalize_axis(axis, x.rank()).value_or(0);
  return {target.simd, x.elements_between(0, at), x.elements_between(at, x.rank()), epsilon};
}

KernelResult select_rms(const CpuTarget& target, const NodeDesc& node) {
  const auto& attrs = node.attributes<RmsNormAttrs>();
  const RowNorm n = row_norm(target, node.inputs[0].type.shape, attrs.axis, attrs.epsilon);
  if (node.inputs[1].type.shape.elements() != n.width) {
    return unsupported(node, "the scale is not one row");
  }
  return KernelResult(make_kernel("rms_norm_f32", [n](const Launch& l) {
    parallel_rows(*l.pool, n.rows, n.width, [&](std::int64_t from, std::int64_t to, int) {
      for (std::int64_t r = from; r < to; ++r) {
        const float* x = l.in<float>(0) + r * n.width;
        const float mean = n.simd->sum_squares(x, 0.0f, n.width) / static_cast<float>(n.width);
        n.simd->affine(x, 0.0f, inverse_deviation(mean, n.epsilon), l.in<float>(1), nullptr,
                       l.out<float>(0) + r * n.width, n.width);
      }
    });
  }));
}

KernelResult select_layer(const CpuTarget& target, const NodeDesc& node) {
  const auto& attrs = node.attributes<LayerNormAttrs>();
  const RowNorm n = row_norm(target, node.inputs[0].type.shape, attrs.axis, attrs.epsilon);
  for (std::size_t i : {std::size_t{1}, std::size_t{2}}) {
    if (present(node, i) && node.inputs[i].type.shape.elements() != n.width) {
      return unsupported(node, "scale or bias is not one row");
    }
  }
  return KernelResult(make_kernel("layer_norm_f32", [n](const Launch& l) {
    auto* means = l.out<float>(1);
    auto* inverses = l.out<float>(2);
    parallel_rows(*l.pool, n.rows, n.width, [&](std::int64_t from, std::int64_t to, int) {
      for (std::int64_t r = from; r < to; ++r) {
        const float* x = l.in<float>(0) + r * n.width;
        const auto width = static_cast<float>(n.width);
        const float mean = n.simd->sum(x, n.width) / width;
        const float inverse =
            inverse_deviation(n.simd->sum_squares(x, mean, n.width) / width, n.epsilon);
        n.simd->affine(x, mean, inverse, l.in<float>(1), l.in<float>(2),
                       l.out<float>(0) + r * n.width, n.width);
        if (means != nullptr) means[r] = mean;
        if (inverses != nullptr) inverses[r] = inverse;
      }
    });
  }));
}

/// y = (x - mean) * inverse * scale + bias of one run of a channel.
void channel(const Simd& simd, const float* x, float mean, float inverse, float scale, float bias,
             float* y, std::int64_t n) {
  simd.affine(x, mean, inverse * scale, nullptr, nullptr, y, n);
  const float* b = &bias;
  simd.binary[kOpAdd - kUnaryCodes](y, 1, b, 0, y, n);
}

/// All channels of a position at a time.
KernelResult batch_channels_last(const CpuTarget& target, std::int64_t rows, std::int64_t channels,
                                 float epsilon) {
  auto kernel = make_kernel(
      "batch_norm_f32_nhwc", [simd = target.simd, rows, channels, epsilon](const Launch& l) {
        const auto apply = [&](Opcode op, const float* a, const float* b, float* y) {
          simd->binary[op - kUnaryCodes](a, 1, b, 1, y, channels);
        };
        parallel_rows(*l.pool, rows, channels, [&](std::int64_t from, std::int64_t to, int worker) {
          float* factors = reinterpret_cast<float*>(l.workspace) + worker * channels;
          for (std::int64_t c = 0; c < channels; ++c) {
            factors[c] = inverse_deviation(l.in<float>(4)[c], epsilon) * l.in<float>(1)[c];
          }
          for (std::int64_t r = from; r < to; ++r) {
            float* y = l.out<float>(0) + r * channels;
            apply(kOpSub, l.in<float>(0) + r * channels, l.in<float>(3), y);
            apply(kOpMul, y, factors, y);
            apply(kOpAdd, y, l.in<float>(2), y);
          }
        });
      });
  kernel->set_workspace(target.threads * channels * 4);
  return KernelResult(std::move(kernel));
}

KernelResult select_batch(const CpuTarget& target, const NodeDesc& node) {
  const auto& attrs = node.attributes<BatchNormAttrs>();
  const Shape& x = node.inputs[0].type.shape;
  if (attrs.training_mode || node.outputs.size() > 1) return unsupported(node, "training mode");
  if (x.rank() < 2) return unsupported(node, "x has no channels");
  const std::int64_t channels = x[1];
  const std::int64_t width = x.elements_between(2, x.rank());
  if (node.inputs[0].layout == Layout::kChannelsLast) {
    return batch_channels_last(target, x[0] * width, channels, attrs.epsilon);
  }
  return KernelResult(
      make_kernel("batch_norm_f32", [simd = target.simd, rows = x[0] * channels, channels, width,
                                     epsilon = attrs.epsilon](const Launch& l) {
        parallel_rows(*l.pool, rows, width, [&](std::int64_t from, std::int64_t to, int) {
          for (std::int64_t r = from; r < to; ++r) {
            const std::int64_t c = r % channels;
            channel(*simd, l.in<float>(0) + r * width, l.in<float>(3)[c],
                    inverse_deviation(l.in<float>(4)[c], epsilon), l.in<float>(1)[c],
                    l.in<float>(2)[c], l.out<float>(0) + r * width, width);
          }
        });
      }));
}

/// `groups` groups a sample; Instance is one channel a group.
KernelResult select_groups(const CpuTarget& target, const NodeDesc& node, std::int64_t groups,
                           float epsilon, std::string name) {
  const Shape& x = node.inputs[0].type.shape;
  if (x.rank() < 2 || groups <= 0 || x[1] % groups != 0) {
    return unsupported(node, "channels do not fill the groups");
  }
  const std::int64_t per_group = x[1] / groups;
  const std::int64_t width = x.elements_between(2, x.rank());
  return KernelResult(
      make_kernel(std::move(name), [simd = target.simd, count = x[0] * groups, groups, per_group,
                                    width, epsilon](const Launch& l) {
        const std::int64_t size = per_group * width;
        parallel_rows(*l.pool, count, size, [&](std::int64_t from, std::int64_t to, int) {
          for (std::int64_t g = from; g < to; ++g) {
            const float* in = l.in<float>(0) + g * size;
            const float mean = simd->sum(in, size) / static_cast<float>(size);
            const float inverse = inverse_deviation(
                simd->sum_squares(in, mean, size) / static_cast<float>(size), epsilon);
            for (std::int64_t i = 0; i < per_group; ++i) {
              const std::int64_t c = g % groups * per_group + i;
              channel(*simd, in + i * width, mean, inverse, l.in<float>(1)[c], l.in<float>(2)[c],
                      l.out<float>(0) + g * size + i * width, width);
            }
          }
        });
      }));
}

KernelResult select(const CpuTarget& target, const NodeDesc& node) {
  if (!all_f32(node)) return unsupported(node, "an operand is not float32");
  if (node.op->name == "RMSNormalization") return select_rms(target, node);
  if (node.op->name == "LayerNormalization") return select_layer(target, node);
  if (node.op->name == "BatchNormalization") return select_batch(target, node);
  if (node.op->name == "InstanceNormalization") {
    const auto& attrs = node.attributes<InstanceNormAttrs>();
    const Shape& x = node.inputs[0].type.shape;
    return select_groups(target, node, x.rank() < 2 ? 0 : x[1], attrs.epsilon, "instance_norm_f32");
  }
  const auto& attrs = node.attributes<GroupNormAttrs>();
  return select_groups(target, node, attrs.num_groups, attrs.epsilon, "group_norm_f32");
}

constexpr std::string_view kOps[] = {"RMSNormalization", "LayerNormalization", "BatchNormalization",
                                     "InstanceNormalization", "GroupNormalization"};
constexpr std::string_view kChannelsLast[] = {"BatchNormalization"};

}  // namespace

extern const KernelFamily family_normalization;
constinit const KernelFamily family_normalization{"normalization", kOps, one_kernel<select>,
                                                  kChannelsLast};

}  // namespace polaris::cpu
