#pragma once
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "tensor/tensor.h"

namespace polaris {

/// A NumPy .npy file (versions 1 to 3) as a row-major tensor with bytes of its own. Little and big
/// endian, C and Fortran order; strings of kinds U, S and O (wire/npy_strings.h); two-byte void
/// elements are bfloat16, as ml_dtypes writes them. What
/// it writes as one-byte void elements, one to a byte, the file does not name: they are read as
/// `small`, a small dtype.
/// Errors: invalid (malformed, cut, too many dims, a byte that is no element), unsupported
/// (structures, complex, objects that are no texts; one-byte void elements without `small`).
Result<Tensor> read_npy(std::span<const std::byte> file, std::optional<DType> small = {});
/// The same of a file on disk; errors name it.
Result<Tensor> load_npy(const std::string& path, std::optional<DType> small = {});

/// The bytes of a version 1 file, C order; small elements one to a byte, as ml_dtypes has them
/// (`np.load(file).view(ml_dtypes.int4)`), strings as kind U. The tensor must be plain.
Result<std::vector<std::byte>> format_npy(const Tensor& tensor);
/// Writes one; errors: io, invalid (encoded tensor).
Status save_npy(const std::string& path, const Tensor& tensor);

}  // namespace polaris
