#include "ir/op_def.h"

#include <algorithm>

#include "tensor/element.h"

namespace polaris {
namespace {

std::uint32_t port_flags(std::span<const Port> ports, int i) {
  if (ports.empty()) return 0;
  const auto at = static_cast<std::size_t>(i);
  if (at < ports.size()) return ports[at].flags;
  return (ports.back().flags & kVariadic) != 0 ? ports.back().flags : 0;
}

}  // namespace

Error node_error(const OpDef& op, std::string_view node_name, std::string_view what) {
  std::string message = "[" + op_full_name(op) + "] ";
  if (!node_name.empty()) {
    message += "node '";
    message += node_name;
    message += "': ";
  }
  message += what;
  return Error::invalid(std::move(message));
}

std::string op_full_name(const OpDef& op) {
  std::string out(op.domain);
  if (!out.empty()) out += '.';
  out += op.name;
  return out;
}

std::uint32_t OpDef::input_flags(int i) const { return port_flags(inputs, i); }
std::uint32_t OpDef::output_flags(int i) const { return port_flags(outputs, i); }

bool OpDef::takes_strings(int i) const {
  if ((input_flags(i) & kStrings) != 0) return true;
  if (inputs.empty() || size_rule != SizeRule::kMove) return false;
  const auto port = std::min(static_cast<std::size_t>(i), inputs.size() - 1);
  return ((moved >> port) & 1u) != 0;
}

std::optional<std::vector<std::int64_t>> InferContext::ints(int i) const {
  // A list that is empty by its type is known, whatever makes it.
  if (has(i) && in(i).shape.is_static() && in(i).shape.elements() == 0) {
    return std::vector<std::int64_t>{};
  }
  const Tensor* tensor = value(i);
  if (tensor == nullptr || !tensor->type().encoding.is_plain()) return std::nullopt;
  if (!is_integer(tensor->dtype()) && tensor->dtype() != DType::kBool) return std::nullopt;
  std::vector<std::int64_t> out(static_cast<std::size_t>(tensor->elements()));
  for (std::size_t e = 0; e < out.size(); ++e) {
    out[e] = element_as_i64(*tensor, static_cast<std::int64_t>(e));
  }
  return out;
}

std::optional<std::vector<KnownInt>> InferContext::known_ints(int i) const {
  const auto at = static_cast<std::size_t>(i);
  if (at < partial.size() && !partial[at].empty()) return partial[at];
  const auto numbers = ints(i);
  if (!numbers) return std::nullopt;
  std::vector<KnownInt> out;
  for (std::int64_t number : *numbers) out.push_back({KnownInt::Kind::kNumber, number});
  return out;
}

Status run_reference(RefContext& context) {
  if (auto ran = context.op->reference(context); !ran) return ran;
  for (RefTensor& out : context.outputs) {
    if (out.data == nullptr || !out.type.encoding.is_plain()) continue;
    clear_padding(out.type.dtype, out.data, out.type.shape.elements());
  }
  return Status::success();
}

Error InferContext::fail(std::string_view what) const { return node_error(*op, node_name, what); }
Error RefContext::fail(std::string_view what) const { return node_error(*op, node_name, what); }
Error HostContext::fail(std::string_view what) const { return node_error(*op, node_name, what); }

}  // namespace polaris
