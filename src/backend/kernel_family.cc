#include "backend/kernel_family.h"

#include <algorithm>

namespace polaris {

bool has_op(std::span<const std::string_view> ops, std::string_view name) {
  return std::find(ops.begin(), ops.end(), name) != ops.end();
}

bool has_input(const NodeDesc& node, std::size_t i) {
  return i < node.inputs.size() && node.inputs[i].present;
}

std::optional<std::vector<std::int64_t>> known_ints(const NodeDesc& node, std::size_t i) {
  if (!has_input(node, i)) return std::vector<std::int64_t>{};
  const Tensor* value = i < node.values.size() ? node.values[i] : nullptr;
  if (value == nullptr && node.inputs[i].constant != nullptr) {
    value = &node.inputs[i].constant->data;
  }
  if (value == nullptr || !*value || !value->type().encoding.is_plain()) return std::nullopt;
  std::vector<std::int64_t> out(static_cast<std::size_t>(value->elements()));
  for (std::size_t e = 0; e < out.size(); ++e) {
    out[e] = element_as_i64(*value, static_cast<std::int64_t>(e));
  }
  return out;
}

Error refuse_on(std::string_view backend, const NodeDesc& node, std::string_view what) {
  std::string message = "[" + op_full_name(*node.op) + "] node '";
  message += node.name;
  message += '\'';
  if (!backend.empty()) message += " on ";
  message += backend;
  message += ": ";
  message += what;
  return Error::unsupported(std::move(message));
}

Refusals::Refusals(std::string_view backend, const NodeDesc& node)
    : backend_(backend), node_(node), prefix_(refuse_on(backend, node, "").message()) {}

void Refusals::add(const Error& error) {
  std::string reason = error.message();
  if (reason.starts_with(prefix_)) reason.erase(0, prefix_.size());
  add(reason);
}

void Refusals::add(std::string_view reason) {
  if (text_.find(reason) != std::string::npos) return;
  if (!text_.empty()) text_ += "; ";
  text_ += reason;
}

}  // namespace polaris
