#pragma once
#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "ir/model.h"

namespace polaris {

struct SafetensorsWriteOptions {
  /// Bytes written so far, and all of them.
  std::function<void(std::int64_t done, std::int64_t all)> progress;
  /// Asked while writing; true stops with the error cancelled. Empty: never.
  std::function<bool()> stop;
};

struct SafetensorsWriteReport {
  std::int64_t tensors = 0;
  std::int64_t decoded = 0;  // of these, blocks that became float32
  std::int64_t bytes = 0;    // of the file
};

/// Writes the weights of a model under their own names: the tensors of a file that holds tensors
/// alone, else the named constants of its functions, each once. Numbers keep their type; blocks,
/// which the format has no type for, become the float32 that they decode to. The file takes its
/// place when it is whole. Errors: unsupported (a tensor of a type that the format has no name for,
/// or in a storage that nothing here reads, named); invalid (two tensors of one name, no tensors);
/// cancelled; out_of_memory; io.
Result<SafetensorsWriteReport> write_safetensors(const Model& model, const std::string& path,
                                                 const SafetensorsWriteOptions& options = {});

}  // namespace polaris
