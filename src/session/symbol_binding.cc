#include "session/symbol_binding.h"

#include <string>

#include "ir/any_rank.h"
#include "tensor/values.h"

namespace polaris {
namespace {

bool is_bucket(std::int64_t size, std::int64_t bound) {
  const bool power = size > 0 && (size & (size - 1)) == 0;
  return size == bound || (power && size < bound);
}

/// As far as the dims are known; of any rank, all do.
bool fits_shape(const Shape& shape, const Shape& wanted) {
  if (has_any_rank(wanted)) return true;
  if (shape.rank() != wanted.rank()) return false;
  for (int d = 0; d < shape.rank(); ++d) {
    if (is_static_dim(wanted[d]) && wanted[d] != shape[d]) return false;
  }
  return true;
}

}  // namespace

Status SymbolBinding::set(std::int64_t symbol, std::int64_t size, std::string_view input) {
  const Symbol& known = graph_.symbols()[static_cast<std::size_t>(symbol)];
  const auto fail = [&](const std::string& wanted) {
    const std::string of = input.empty() ? "" : " of input '" + std::string(input) + "'";
    return Error::invalid("[run] dim '" + known.name + "'" + of + ", got " + std::to_string(size) +
                          ", wanted " + wanted);
  };
  std::int64_t& held = sizes_[static_cast<std::size_t>(symbol)];
  if (size < 0) return fail("at least 0");
  if (held != kUnknownDim && held != size) return fail(std::to_string(held) + " as given before");
  switch (known.kind) {
    case Symbol::Kind::kFree: break;
    case Symbol::Kind::kBounded:
      if (size > known.bound) return fail("at most " + std::to_string(known.bound));
      break;
    case Symbol::Kind::kBucketed:
      if (is_bucket(size, known.bound)) break;
      return fail("a bucket: 1, 2, 4 ... up to " + std::to_string(known.bound) +
                  "; the caller pads");
  }
  held = size;
  return Status::success();
}

Status SymbolBinding::bind_input(std::size_t index, const Tensor& tensor) {
  const Value& value = graph_.value(graph_.inputs()[index]);
  if (value.type.is_tensor()) return bind_input(index, tensor.type());
  const TensorType& type = tensor.type();
  bool fits = type.kind == value.type.kind && type.dtype == value.type.dtype;
  // Each tensor in it is such a one; the type of the whole says only what they have in common.
  for (const Tensor& held : tensors_of(tensor)) {
    fits = fits && fits_shape(held.shape(), value.type.shape);
    if (!fits) break;
    if (auto status = bind_dims(held.shape(), value); !status) return status;
  }
  return fits ? Status::success() : misfit(value, type);
}

Error SymbolBinding::misfit(const Value& value, const TensorType& type) {
  return Error::invalid("[run] input '" + value.name + "', got " + type.to_string() + ", wanted " +
                        value.type.to_string());
}

Status SymbolBinding::bind_input(std::size_t index, const TensorType& type) {
  const Value& value = graph_.value(graph_.inputs()[index]);
  const bool fits =
      type.encoding.is_plain() && type.kind == value.type.kind && type.dtype == value.type.dtype &&
      type.shape.rank() == value.type.shape.rank() && fits_shape(type.shape, value.type.shape);
  return fits ? bind_dims(type.shape, value) : misfit(value, type);
}

Status SymbolBinding::bind_dims(const Shape& shape, const Value& value) {
  if (has_any_rank(value.type.shape)) return Status::success();
  for (int d = 0; d < shape.rank(); ++d) {
    if (!is_symbol_dim(value.type.shape[d])) continue;
    auto status = set(symbol_of(value.type.shape[d]), shape[d], value.name);
    if (!status) return status;
  }
  return Status::success();
}

Status SymbolBinding::bind(std::string_view symbol, std::int64_t size) {
  if (const auto id = graph_.find_symbol(symbol)) return set(*id, size, {});
  return Error::not_found("[run] dim, got '" + std::string(symbol) +
                          "', wanted a dim of the model");
}

TensorType SymbolBinding::concrete(const TensorType& type, std::int64_t fallback) const {
  TensorType out = type;
  for (int d = 0; d < out.shape.rank(); ++d) {
    std::int64_t& dim = out.shape[d];
    if (is_symbol_dim(dim)) dim = size(symbol_of(dim));
    if (!is_static_dim(dim)) dim = fallback;
  }
  return out;
}

}  // namespace polaris
