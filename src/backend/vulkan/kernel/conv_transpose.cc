#include <utility>

#include "backend/vulkan/parts/direct_conv.h"

/// ConvTranspose of one to three spatial dims: every output gathers the taps that reach it.
namespace polaris::vulkan {
namespace {

constexpr ConvPorts kPorts = {1, 2, -1, -1};

Result<KernelList> candidates(const VulkanTarget& target, const NodeDesc& node) {
  const OperandDesc& w = node.inputs[1];
  const DType x = node.inputs[0].type.dtype;
  if ((x != DType::kF32 && x != DType::kF16 && x != DType::kBF16) || w.type.dtype != x) {
    return refuse(node, "types other than float32, float16 and bfloat16");
  }
  if (!w.type.encoding.is_plain()) return refuse(node, "encoded weights");
  if (Status s = check_operands(target, node); !s) return s.error();
  const auto g = conv_transpose_geometry(node.inputs[0].type.shape, w.type.shape,
                                         node.attributes<ConvTransposeAttrs>());
  if (!g) return refuse(node, g.error().message());
  ConvProblem p;
  p.kind = ConvKind::kTransposed;
  p.half = x != DType::kF32;
  p.last = node.inputs[0].layout == Layout::kChannelsLast;
  // It is given as the convolution whose gradient it is, from y to x.
  p.geometry = *g;
  std::swap(p.geometry.group_in, p.geometry.group_out);
  for (WindowDim& d : p.geometry.dims) std::swap(d.in, d.out);
  if (Status s = check_window(node, p.geometry); !s) return s.error();
  p.packed = w.constant != nullptr;
  choose_tile(p, target.group_threads_max);
  return make_convs(target, node, p, kPorts, {}, 0);
}

std::vector<ShaderVariant> variants() {
  std::vector<ShaderVariant> all = conv_variants("conv.transposed_f32");
  for (ShaderVariant& v : conv_variants("conv.transposed_f16")) all.push_back(std::move(v));
  return all;
}

constexpr std::string_view kOps[] = {"ConvTranspose"};

}  // namespace

extern const KernelFamily family_conv_transpose;
const KernelFamily family_conv_transpose{{"conv_transpose", kOps, candidates, kOps}, variants};

}  // namespace polaris::vulkan
