#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "tensor/tensor.h"

/// NumPy's arrays of strings: fixed numbers of UTF-32 characters ('U') or of bytes ('S') each,
/// filled up with zeros, and objects ('O'), as a pickle of which only what holds texts is read.
namespace polaris {

struct NpyStrings {
  char kind = 'U';
  std::int64_t length = 0;  // characters or bytes that each has room for
  bool big_endian = false;
};

/// `count` strings in the order of the file. Errors: invalid (cut, what is no character),
/// unsupported (objects that are no texts).
Result<std::vector<std::string>> read_npy_strings(const NpyStrings& how, std::int64_t count,
                                                  std::span<const std::byte> data);

/// A tensor of strings as kind 'U', little endian, as long as the longest of them.
struct NpyText {
  std::int64_t length = 0;
  std::vector<std::byte> data;
};
/// Errors: invalid on a string that is not UTF-8, out_of_memory where all of them, as long as the
/// longest, are too large.
Result<NpyText> format_npy_strings(const Tensor& tensor);

}  // namespace polaris
