#include <algorithm>
#include <utility>

#include "backend/vulkan/parts/direct_conv.h"
#include "backend/vulkan/parts/requantize.h"

/// Conv, ConvInteger and QLinearConv of one to three spatial dims, any groups, strides, dilations.
namespace polaris::vulkan {
namespace {

ConvPorts ports_of(ConvKind kind) {
  switch (kind) {
    case ConvKind::kFloat: return {1, 2, -1, -1};
    case ConvKind::kInteger: return {1, -1, 2, 3};
    default: break;
  }
  return {3, 8, 2, 5};
}

Status check_types(const VulkanTarget& target, const NodeDesc& node, bool integer,
                   const OperandDesc& w) {
  const DType x = node.inputs[0].type.dtype;
  if (integer ? dtype_info(x).bits != 8
              : x != DType::kF32 && x != DType::kF16 && x != DType::kBF16) {
    return refuse(node, "inputs of this type");
  }
  if (!w.type.encoding.is_plain()) return refuse(node, "encoded weights");
  if (!integer && w.type.dtype != x) return refuse(node, "weights of this type");
  return check_operands(target, node);
}

/// Whether the weights are packed, and their zero points then.
void read_weights(const NodeDesc& node, const OperandDesc& w, const ConvPorts& ports,
                  ConvProblem& p) {
  p.packed = w.constant != nullptr;
  if (has_port(node, ports.w_zero)) {
    auto zeros = known_ints(node, static_cast<std::size_t>(ports.w_zero));
    p.packed = p.packed && zeros.has_value();
    if (p.packed) p.w_zero = std::move(*zeros);
  }
  if (!p.packed) return;
  if (w.type.dtype == DType::kU8) {  // packed less 128
    if (p.w_zero.empty()) p.w_zero = {0};
    for (std::int64_t& zero : p.w_zero) zero -= 128;
  }
  if (std::all_of(p.w_zero.begin(), p.w_zero.end(), [](std::int64_t z) { return z == 0; })) {
    p.w_zero.clear();
  }
  // They stand in the kernel's params, which hold 16384 words, behind what multiplies the sums.
  const std::int64_t words = p.kind == ConvKind::kQuantized ? 2 : 1;
  if (!p.w_zero.empty() && p.out_channels() * words > 16384) {
    p.packed = false;
    p.w_zero.clear();
  }
}

Result<ConvProblem> read_problem(const VulkanTarget& target, const NodeDesc& node, ConvKind kind,
                                 const ConvPorts& ports) {
  const OperandDesc& w = node.inputs[static_cast<std::size_t>(ports.w)];
  ConvProblem p;
  p.kind = kind;
  p.half = dtype_info(node.inputs[0].type.dtype).bits == 16;
  p.last = node.inputs[0].layout == Layout::kChannelsLast;
  const auto g =
      conv_geometry(node.inputs[0].type.shape, w.type.shape, node.attributes<ConvAttrs>());
  if (!g) return refuse(node, g.error().message());
  p.geometry = *g;
  if (Status s = check_window(node, p.geometry); !s) return s.error();
  read_weights(node, w, ports, p);
  choose_tile(p, target.group_threads_max);
  return p;
}

Result<KernelList> candidates(const VulkanTarget& target, const NodeDesc& node) {
  const ConvKind kind = node.op->is("Conv")          ? ConvKind::kFloat
                        : node.op->is("ConvInteger") ? ConvKind::kInteger
                                                     : ConvKind::kQuantized;
  const ConvPorts ports = ports_of(kind);
  const OperandDesc& w = node.inputs[static_cast<std::size_t>(ports.w)];
  if (Status s = check_types(target, node, kind != ConvKind::kFloat, w); !s) return s.error();
  Result<ConvProblem> problem = read_problem(target, node, kind, ports);
  if (!problem) return problem.error();
  const ConvProblem& p = *problem;
  Requantization requantization;
  std::uint64_t absorbed = 0;
  if (kind == ConvKind::kQuantized) {
    Result<Requantization> read = read_requantization(node, p.out_channels());
    if (!read) return read.error();
    requantization = read.take();
    // The shader looks them up by channel.
    if (requantization.factors.size() == 1) {
      if (p.out_channels() > 16384) return refuse(node, "more than 16384 channels");
      requantization.factors.resize(static_cast<std::size_t>(p.out_channels()),
                                    requantization.factors[0]);
    }
    absorbed = 1u << 1 | 1u << 4 | 1u << 6 | 1u << 7;
  }
  if (p.packed && ports.w_zero >= 0) absorbed |= std::uint64_t{1} << ports.w_zero;
  auto kernels = make_convs(target, node, p, ports, requantization.factors, requantization.y_zero);
  if (!kernels) return kernels;
  for (auto& kernel : *kernels) static_cast<VulkanKernel&>(*kernel).absorbed = absorbed;
  return kernels;
}

std::vector<ShaderVariant> variants() {
  std::vector<ShaderVariant> all;
  for (const std::string_view shader : {"conv.f32", "conv.f16", "conv.i8_i32", "conv.i8_i8"}) {
    for (ShaderVariant& variant : conv_variants(shader)) all.push_back(std::move(variant));
  }
  for (const std::string_view shader : {"conv_depthwise.f32", "conv_depthwise.f16",
                                        "conv_depthwise.i8_i32", "conv_depthwise.i8_i8"}) {
    for (ShaderVariant& variant : depthwise_variants(shader)) all.push_back(std::move(variant));
  }
  return all;
}

constexpr std::string_view kOps[] = {"Conv", "ConvInteger", "QLinearConv"};

}  // namespace

extern const KernelFamily family_conv;
const KernelFamily family_conv{{"conv", kOps, candidates, kOps}, variants};

}  // namespace polaris::vulkan
