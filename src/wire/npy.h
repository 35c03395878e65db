#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "tensor/tensor.h"

namespace polaris {

/// A NumPy .npy file (versions 1 to 3) as a row-major tensor with bytes of its own. Little and big
/// endian, C and Fortran order; two-byte void elements are bfloat16, as ml_dtypes writes them.
/// Errors: invalid (malformed, cut, too many dims), unsupported (structures, strings, complex).
Result<Tensor> read_npy(std::span<const std::byte> file);
/// The same of a file on disk; errors name it.
Result<Tensor> load_npy(const std::string& path);

/// The bytes of a version 1 file, C order. The tensor must be plain.
Result<std::vector<std::byte>> format_npy(const Tensor& tensor);
/// Writes one; errors: io, invalid (encoded tensor).
Status save_npy(const std::string& path, const Tensor& tensor);

}  // namespace polaris
