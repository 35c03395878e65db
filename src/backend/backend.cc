#include "backend/backend.h"

namespace polaris {
namespace {

std::uint64_t next_buffer_id() {
  // tidy: allow globals (ids are unique in the process, whoever made the buffer)
  static std::atomic<std::uint64_t> next{1};
  return next.fetch_add(1, std::memory_order_relaxed);
}

/// Adds one side's operands to what is known of the node's layout; false where they do not fit.
bool join_layouts(const OpDef& op, std::span<const OperandDesc> operands, bool outputs,
                  std::optional<Layout>& layout) {
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const OperandDesc& operand = operands[i];
    if (!operand.present) continue;
    const int port = static_cast<int>(i);
    const std::uint32_t flags = outputs ? op.output_flags(port) : op.input_flags(port);
    if ((flags & kSpatial) == 0) {
      if (operand.layout != Layout::kRowMajor) return false;
      continue;
    }
    if (operand.layout != Layout::kRowMajor && !operand.type.encoding.is_plain()) return false;
    if (layout && *layout != operand.layout) return false;
    layout = operand.layout;
  }
  return true;
}

}  // namespace

Result<Layout> spatial_layout(const NodeDesc& node) {
  std::optional<Layout> layout;
  if (join_layouts(*node.op, node.inputs, false, layout) &&
      join_layouts(*node.op, node.outputs, true, layout)) {
    return layout.value_or(Layout::kRowMajor);
  }
  return Error::unsupported("[" + op_full_name(*node.op) + "] node '" + std::string(node.name) +
                            "': layouts, got a mix, wanted one for the plain [N, C, spatial] "
                            "operands and row_major for the others");
}

std::optional<DType> small_dtype(const NodeDesc& node) {
  for (const auto operands : {node.inputs, node.outputs}) {
    for (const OperandDesc& operand : operands) {
      if (!operand.present) continue;
      if (is_small(operand.type.dtype)) return operand.type.dtype;
      const DType stored = element_storage(operand.type);
      // Kernels that take encoded constants ask how these are stored.
      const bool affine = operand.type.encoding.kind == Encoding::Kind::kAffine;
      if (affine && operand.constant != nullptr) continue;
      if (!operand.type.encoding.is_block() && is_small(stored)) return stored;
    }
  }
  return std::nullopt;
}

Buffer::Buffer(std::int64_t bytes, std::byte* host)
    : bytes_(bytes), id_(next_buffer_id()), host_(host) {}

Status Kernel::pack(int, const Constant&, std::span<std::byte>) const {
  return Error::internal("[kernel] " + std::string(name()) + " packs no weights");
}

std::string Kernel::report(std::uint32_t code) const {
  return "the kernel gave up with code " + std::to_string(code);
}

}  // namespace polaris
