#pragma once
#include <string>
#include <string_view>

#include "base/result.h"
#include "tensor/tensor.h"

namespace polaris {

/// A tensor as JSON: its elements in nested arrays, one level a dim, a lone element for a scalar.
/// Numbers, true and false for bool, texts for strings, and "nan", "inf", "-inf" for what JSON has
/// no number for. The dtype is the reader's to know; an empty dim hides those behind it, which are
/// then 0. Errors: invalid (malformed, ragged, more than kMaxRank levels, an element that the dtype
/// has no place for).
Result<Tensor> read_json_tensor(std::string_view text, DType dtype);
/// The same of a file on disk; errors name it.
Result<Tensor> load_json_tensor(const std::string& path, DType dtype);
/// What read_json_tensor reads back bit for bit, but for the payloads of NaNs. The tensor must be
/// plain.
std::string format_json_tensor(const Tensor& tensor);

/// The same for every kind of value: a sequence is an array of tensors, an optional its value or
/// null. `type` says which kind and dtype to read.
Result<Tensor> read_json_value(std::string_view text, const TensorType& type);
Result<Tensor> load_json_value(const std::string& path, const TensorType& type);
std::string format_json_value(const Tensor& value);

}  // namespace polaris
