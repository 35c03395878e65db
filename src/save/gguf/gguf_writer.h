#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/os/output_file.h"
#include "base/result.h"
#include "load/gguf/gguf_file.h"

namespace polaris::gguf {

/// A tensor of a file to be written.
struct TensorToWrite {
  std::string name;
  const GgmlType* type = nullptr;
  Shape shape;  // ours: ggml's innermost dim last
};

/// What a file will hold. Entries are views: what they view lives until the writer is made.
struct FileToWrite {
  std::int64_t alignment = 32;  // as an entry "general.alignment" says, where there is one
  std::vector<GgufEntry> entries;
  std::vector<TensorToWrite> tensors;
};

/// The value of an entry that holds one number.
std::vector<std::byte> u32_value(std::uint32_t number);

/// Writes a container of version 3 front to back: header and list of tensors at once, then the
/// bytes of each tensor in the list's order, in pieces of any size. The file takes its place when
/// it is whole, and where it is not nothing is left of it.
class GgufWriter {
 public:
  /// Errors: invalid (a tensor whose rows are not whole blocks, sizes that do not add up); io.
  static Result<GgufWriter> create(const std::string& path, const FileToWrite& content);
  /// The next bytes of the tensors. Errors: io; internal where they are more than the tensor has.
  Status append(std::span<const std::byte> bytes);
  /// Errors: io; internal where bytes of a tensor are missing.
  Status finish();
  std::int64_t bytes() const { return written_; }

 private:
  GgufWriter(OutputFile file, std::int64_t alignment)
      : file_(std::move(file)), alignment_(alignment) {}
  Status put(std::span<const std::byte> bytes);
  Status pad();
  Status go_on();

  OutputFile file_;
  std::int64_t alignment_;
  std::int64_t written_ = 0;
  std::vector<std::int64_t> sizes_;  // of the tensors, in order
  std::size_t tensor_ = 0;           // the one under way
  std::int64_t rest_ = 0;            // bytes that it still lacks
};

}  // namespace polaris::gguf
