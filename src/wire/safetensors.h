#pragma once
#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tensor/tensor.h"

namespace polaris {

/// A tensor of a safetensors file; its bytes lie inside the file.
struct SafetensorsTensor {
  std::string name;
  TensorType type;
  std::span<const std::byte> bytes;
};

/// Tensors in the order of their bytes, which fill the file without holes; names are unique.
struct SafetensorsFile {
  std::vector<SafetensorsTensor> tensors;
  std::map<std::string, std::string, std::less<>> metadata;  // "__metadata__"
};

/// Errors: invalid (cut, a header that is no such JSON or longer than the format allows, a name
/// twice, a shape whose size is not that of its bytes, bytes that overlap, leave holes or the
/// file); unsupported (a dtype that we do not have).
Result<SafetensorsFile> parse_safetensors(std::span<const std::byte> file);

/// What the format calls a dtype; nothing where it has no name for it.
std::optional<std::string_view> safetensors_code(DType dtype);

}  // namespace polaris
