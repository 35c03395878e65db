#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
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

/// A key with its value as it stands in the file: the number of its type, then its bytes.
struct GgufEntry {
  std::string_view key;
  std::span<const std::byte> value;
};

/// A parsed container: names are unique, counts and offsets checked, and no tensor lies in another.
struct GgufFile {
  std::uint32_t version = 0;
  std::int64_t alignment = 32;
  Metadata metadata;
  /// The same in the file's order, for who writes it again: views of the file's bytes.
  std::vector<GgufEntry> entries;
  std::vector<TensorInfo> tensors;
};

/// Whether the bytes begin as a GGUF file does, of any version.
bool is_gguf(std::span<const std::byte> file);

/// Reads a container of version 2 or 3. Errors: unsupported (version, byte order, nested arrays,
/// tensor type); invalid (cut, a count, offset, size, alignment or name that cannot be, or tensors
/// that overlap).
Result<GgufFile> parse_gguf(std::span<const std::byte> file);

}  // namespace polaris::gguf
