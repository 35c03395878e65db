#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "tensor/tensor.h"

/// Values in files: .npy, .npz and .json. A tensor is an .npy file, or the one array of an .npz
/// file. A sequence is an .npz file of arr_0, arr_1 ... as np.savez(file, *tensors) writes it. An
/// optional is its value, or an .npz file with the one array `none`. In JSON a sequence is an array
/// of tensors, and an optional its value or null.
namespace polaris {

enum class ValueFormat : std::uint8_t { kNpy, kNpz, kJson };

/// By the file's ending; .npy where it is another.
ValueFormat value_format_of(std::string_view path);

/// A value of `type`'s kind, and in JSON of its dtype, which also says what bytes without a name in
/// .npy files are. Errors: those of the formats, naming the file; invalid where it holds another
/// kind of value.
Result<Tensor> load_value(const std::string& path, const TensorType& type);

/// The names of an .npz file's arrays, without `.npy`.
Result<std::vector<std::string>> list_npz(const std::string& path);
/// All of them, in the file's order. `dtype_of` says for a name what bytes without a name of their
/// own are, or why there must not be such an array.
Result<std::vector<std::pair<std::string, Tensor>>> load_npz(
    const std::string& path, const std::function<Result<DType>(const std::string& name)>& dtype_of);

/// Errors: io; invalid, as .npy files hold tensors alone.
Status save_value(const std::string& path, ValueFormat format, const Tensor& value);

}  // namespace polaris
