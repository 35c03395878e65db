#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "ir/model.h"
#include "load/gguf/ggml_type.h"

namespace polaris::gguf {

/// A tensor as the container describes it; its bytes lie inside the file.
struct TensorInfo {
  std::string name;
  const GgmlType* type = nullptr;
  Shape shape;  // ours: ggml's innermost dim last
  std::span<const std::byte> bytes;
};

/// A parsed container: names are unique, counts and offsets checked.
struct GgufFile {
  std::uint32_t version = 0;
  std::int64_t alignment = 32;
  Metadata metadata;
  std::vector<TensorInfo> tensors;
};

/// Whether the bytes begin as a GGUF file does, of any version.
bool is_gguf(std::span<const std::byte> file);

/// Reads a container of version 2 or 3. Errors: unsupported (version, byte order, nested arrays,
/// tensor type); invalid (cut, or a count, offset, size, alignment or name that cannot be).
Result<GgufFile> parse_gguf(std::span<const std::byte> file);

}  // namespace polaris::gguf
