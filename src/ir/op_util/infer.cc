#include "ir/op_util/infer.h"

#include "base/checked.h"

namespace polaris {
namespace {

std::string port_text(const InferContext& c, int i) {
  std::string out = "input " + std::to_string(i);
  const auto ports = c.op->inputs;
  if (!ports.empty()) {
    const auto at = std::min(static_cast<std::size_t>(i), ports.size() - 1);
    out += " (" + std::string(ports[at].name) + ")";
  }
  return out;
}

std::string set_text(DTypeSet set) {
  std::string out;
  for (int i = 0; i < kDTypeCount; ++i) {
    if (!contains(set, static_cast<DType>(i))) continue;
    if (!out.empty()) out += ", ";
    out += dtype_name(static_cast<DType>(i));
  }
  return out;
}

/// Only what the port says, and a tensor of numbers where it does not refuse those.
Status check_value(const InferContext& c, int i) {
  const TensorType& type = c.in(i);
  const std::uint32_t flags = c.op->input_flags(i);
  const bool sequence = (flags & kSequence) != 0;
  const bool optional = (flags & kOptionalValue) != 0;
  const bool tensor = (flags & kNoTensor) == 0;
  bool fits = false;
  switch (type.kind) {
    case ValueKind::kTensor: fits = tensor; break;
    case ValueKind::kSequence: fits = sequence; break;
    case ValueKind::kOptional: fits = optional; break;
    case ValueKind::kOptionalSequence: fits = optional && sequence; break;
  }
  if (type.dtype == DType::kString && !c.op->takes_strings(i)) fits = false;
  if (fits) return Status::success();
  std::string wanted = tensor ? "a tensor" : "";
  if (sequence) wanted += wanted.empty() ? "a sequence" : ", a sequence";
  if (optional) wanted += wanted.empty() ? "an optional" : ", an optional";
  if (!c.op->takes_strings(i)) wanted += ", of numbers";
  return c.fail(port_text(c, i) + ", got " + type.to_string() + ", wanted " + wanted);
}

bool variadic(std::span<const Port> ports) {
  return !ports.empty() && (ports.back().flags & kVariadic) != 0;
}

}  // namespace

Status check_ports(const InferContext& c) {
  // What a subgraph captures follows the op's own inputs.
  if (c.op->is_control()) return Status::success();
  const auto inputs = c.op->inputs;
  if (c.inputs.size() > inputs.size() && !variadic(inputs)) {
    return c.fail("inputs, got " + std::to_string(c.inputs.size()) + ", wanted at most " +
                  std::to_string(inputs.size()));
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if ((inputs[i].flags & kOptional) == 0 && !c.has(static_cast<int>(i))) {
      return c.fail(port_text(c, static_cast<int>(i)) + " is missing");
    }
  }
  for (std::size_t i = inputs.size(); i < c.inputs.size(); ++i) {
    if (!c.has(static_cast<int>(i))) {
      return c.fail(port_text(c, static_cast<int>(i)) + " is missing");
    }
  }
  if (c.outputs.size() > c.op->outputs.size() && !variadic(c.op->outputs)) {
    return c.fail("outputs, got " + std::to_string(c.outputs.size()) + ", wanted at most " +
                  std::to_string(c.op->outputs.size()));
  }
  if (c.outputs.empty()) return c.fail("outputs, got 0, wanted 1 or more");
  for (int i = 0; i < c.input_count(); ++i) {
    if (!c.has(i)) continue;
    if (auto s = check_value(c, i); !s) return s;
  }
  return Status::success();
}

Status check_dtype(const InferContext& c, int i, DTypeSet allowed) {
  if (!c.has(i) || contains(allowed, c.in(i).dtype)) return Status::success();
  return c.fail(port_text(c, i) + " type, got " + std::string(dtype_name(c.in(i).dtype)) +
                ", wanted " + set_text(allowed));
}

Status check_same_dtype(const InferContext& c, int i, int j) {
  if (!c.has(i) || !c.has(j) || c.in(i).dtype == c.in(j).dtype) return Status::success();
  return c.fail(port_text(c, j) + " type, got " + std::string(dtype_name(c.in(j).dtype)) +
                ", wanted that of " + port_text(c, i) + ", " +
                std::string(dtype_name(c.in(i).dtype)));
}

Status check_rank(const InferContext& c, int i, int low, int high) {
  if (!c.has(i)) return Status::success();
  const int rank = c.in(i).shape.rank();
  if (rank >= low && rank <= high) return Status::success();
  std::string wanted = std::to_string(low);
  if (high != low) wanted += " to " + std::to_string(high);
  return c.fail(port_text(c, i) + " rank, got " + c.in(i).shape.to_string() + ", wanted " + wanted);
}

std::string dim_text(std::int64_t dim) {
  if (dim == kUnknownDim) return "?";
  if (is_symbol_dim(dim)) return "s" + std::to_string(symbol_of(dim));
  return std::to_string(dim);
}

Status check_dims(const InferContext& c, std::string_view what, std::int64_t got,
                  std::int64_t wanted) {
  if (got == wanted || !is_static_dim(got) || !is_static_dim(wanted)) return Status::success();
  return c.fail(std::string(what) + ", got " + dim_text(got) + ", wanted " + dim_text(wanted));
}

Result<int> check_axis(const InferContext& c, std::int64_t axis, int rank) {
  const auto out = normalize_axis(axis, rank);
  if (out) return *out;
  return c.fail("axis, got " + std::to_string(axis) + ", wanted one of a tensor of rank " +
                std::to_string(rank));
}

std::int64_t dim_mul(std::int64_t a, std::int64_t b) {
  if (a == 1) return b;
  if (b == 1) return a;
  if (a == 0 || b == 0) return 0;
  if (!is_static_dim(a) || !is_static_dim(b)) return kUnknownDim;
  return checked_mul(a, b).value_or(kUnknownDim);
}

std::int64_t dim_add(std::int64_t a, std::int64_t b) {
  if (a == 0) return b;
  if (b == 0) return a;
  if (!is_static_dim(a) || !is_static_dim(b)) return kUnknownDim;
  return checked_add(a, b).value_or(kUnknownDim);
}

void set_output(InferContext& c, int i, DType dtype, const Shape& shape) {
  set_output(c, i, TensorType{dtype, shape, {}});
}

void set_output(InferContext& c, int i, const TensorType& type) {
  if (static_cast<std::size_t>(i) < c.outputs.size()) c.out(i) = type;
}

}  // namespace polaris
