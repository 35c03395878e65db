// Strings, sequences and optionals.
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "capi/c_handles.h"
#include "plugin/type_convert.h"
#include "tensor/values.h"

namespace {

using polaris::Error;
using polaris::guarded;
using polaris::need;
using polaris::Result;
using polaris::Status;
using polaris::Tensor;
using polaris::TensorType;
using polaris::ValueKind;

static_assert(POLARIS_TENSOR == static_cast<int>(ValueKind::kTensor));
static_assert(POLARIS_SEQUENCE == static_cast<int>(ValueKind::kSequence));
static_assert(POLARIS_OPTIONAL == static_cast<int>(ValueKind::kOptional));
static_assert(POLARIS_OPTIONAL_SEQUENCE == static_cast<int>(ValueKind::kOptionalSequence));

/// What holds tensors of the dtype, of any rank until there are some.
Result<TensorType> holder_type(polaris_dtype dtype, ValueKind kind) {
  polaris_type type = {};
  type.dtype = dtype;
  type.rank = POLARIS_RANK_MAX;
  for (std::int64_t& dim : type.dims) dim = -1;
  const auto converted = polaris::from_c_type(type);
  if (!converted) return Error::invalid("[c] dtype is malformed, wanted a known one");
  return converted->as(kind);
}

Status give(Result<Tensor> value, polaris_tensor** out) {
  if (!value) return value.error();
  *out = new polaris_tensor{value.take()};
  return Status::success();
}

}  // namespace

polaris_kind polaris_tensor_kind(const polaris_tensor* tensor) {
  return static_cast<polaris_kind>(tensor->tensor.type().kind);
}

polaris_error* polaris_strings_create(int32_t rank, const int64_t* dims, const char* const* strings,
                                      const size_t* lengths, polaris_tensor** out) {
  return guarded([&]() -> Status {
    if (auto status = need(out != nullptr && (dims != nullptr || rank == 0), "dims or out");
        !status) {
      return status;
    }
    if (rank < 0 || rank > POLARIS_RANK_MAX) {
      return Error::invalid("[c] rank of strings, got " + std::to_string(rank) + ", wanted 0 to " +
                            std::to_string(POLARIS_RANK_MAX));
    }
    polaris_type type = {};
    type.dtype = POLARIS_STRING;
    type.rank = rank;
    for (int32_t d = 0; d < rank; ++d) type.dims[d] = dims[d];
    const auto converted = polaris::from_c_type(type);
    const auto count = converted ? converted->shape.checked_elements() : std::nullopt;
    if (!count) return Error::invalid("[c] shape of strings is malformed or too large");
    if (auto status = need(strings != nullptr || *count == 0, "strings"); !status) return status;
    std::vector<std::string_view> views;
    for (std::int64_t i = 0; i < *count; ++i) {
      if (auto status = need(strings[i] != nullptr, "a string"); !status) return status;
      views.emplace_back(strings[i], lengths != nullptr ? lengths[i] : std::strlen(strings[i]));
    }
    return give(Tensor::strings(converted->shape, views), out);
  });
}

const char* polaris_tensor_string(const polaris_tensor* tensor, size_t index, size_t* length) {
  const TensorType& type = tensor->tensor.type();
  const bool has = type.is_tensor() && type.dtype == polaris::DType::kString &&
                   std::cmp_less(index, type.shape.elements());
  if (length != nullptr) *length = 0;
  if (!has) return nullptr;
  const std::string_view text = tensor->tensor.string(static_cast<std::int64_t>(index));
  if (length != nullptr) *length = text.size();
  return text.data();
}

polaris_error* polaris_sequence_create(polaris_dtype dtype, const polaris_tensor* const* items,
                                       size_t item_count, polaris_tensor** out) {
  return guarded([&]() -> Status {
    const bool present = out != nullptr && (items != nullptr || item_count == 0);
    if (auto status = need(present, "items or out"); !status) return status;
    const auto type = holder_type(dtype, ValueKind::kTensor);
    if (!type) return type.error();
    std::vector<Tensor> held;
    for (size_t i = 0; i < item_count; ++i) {
      if (auto status = need(items[i] != nullptr, "an item"); !status) return status;
      held.push_back(items[i]->tensor);
    }
    return give(polaris::make_sequence(*type, std::move(held)), out);
  });
}

polaris_error* polaris_optional_create(polaris_kind of, polaris_dtype dtype,
                                       const polaris_tensor* value, polaris_tensor** out) {
  return guarded([&]() -> Status {
    if (auto status = need(out != nullptr, "out"); !status) return status;
    const int kind = static_cast<int>(of);
    if (kind != POLARIS_TENSOR && kind != POLARIS_SEQUENCE) {
      return Error::invalid("[c] kind of an optional, got " + std::to_string(kind) +
                            ", wanted that of a tensor or a sequence");
    }
    const auto type = holder_type(dtype, static_cast<ValueKind>(kind));
    if (!type) return type.error();
    return give(polaris::make_optional(
                    *type, value != nullptr ? std::optional(value->tensor) : std::nullopt),
                out);
  });
}

size_t polaris_tensor_item_count(const polaris_tensor* tensor) {
  return tensor->tensor.items().size();
}

polaris_error* polaris_tensor_item(const polaris_tensor* tensor, size_t index,
                                   polaris_tensor** out) {
  return guarded([&]() -> Status {
    if (auto status = need(tensor != nullptr && out != nullptr, "tensor or out"); !status) {
      return status;
    }
    const auto items = tensor->tensor.items();
    if (index < items.size()) return give(items[index], out);
    return Error::not_found("[c] item, got " + std::to_string(index) + " of " +
                            std::to_string(items.size()));
  });
}
