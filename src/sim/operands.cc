#include "sim/operands.h"

#include <cstring>

namespace polaris::gcn {

Result<Launch> Operands::launch(const vulkan::Dispatch& dispatch, Memory& memory) {
  Launch out;
  out.grid = dispatch.grid;
  out.push = dispatch.push;
  if (dispatch.indirect) {
    Result<std::span<std::byte>> grid = find(*dispatch.indirect);
    if (!grid) return grid.error();
    if (grid->size() < sizeof out.grid) return Error::internal("[gcn] a short indirect grid");
    std::memcpy(out.grid.data(), grid->data(), sizeof out.grid);
  }
  for (const vulkan::Operand& operand : dispatch.operands) {
    Result<std::span<std::byte>> bytes = find(operand);
    if (!bytes) return bytes.error();
    out.bindings.push_back({memory.map(*bytes), static_cast<std::uint32_t>(bytes->size())});
  }
  return out;
}

Result<std::span<std::byte>> Operands::find(const vulkan::Operand& operand) {
  std::span<std::byte> source;
  const auto index = static_cast<std::size_t>(operand.index);
  switch (operand.source) {
    case vulkan::Operand::Source::kInput:
      if (index < inputs.size()) source = inputs[index];
      break;
    case vulkan::Operand::Source::kOutput:
      if (index < outputs.size()) source = outputs[index];
      break;
    case vulkan::Operand::Source::kWorkspace: source = workspace; break;
    case vulkan::Operand::Source::kParams: source = params; break;
    case vulkan::Operand::Source::kStatus: source = status; break;
  }
  const auto whole = static_cast<std::int64_t>(source.size());
  const std::int64_t bytes = operand.bytes < 0 ? whole - operand.offset : operand.bytes;
  if (bytes <= 0 || whole == 0) return std::span(spare_);
  if (operand.offset < 0 || bytes > whole - operand.offset) {
    return Error::internal("[gcn] an operand beyond its source's bytes");
  }
  return std::span(source.data() + operand.offset, static_cast<std::size_t>((bytes + 3) / 4 * 4));
}

}  // namespace polaris::gcn
