#pragma once
#include <string>
#include <vector>

#include "arch/adapter/adapter.h"
#include "base/result.h"
#include "base/thread_pool.h"
#include "ir/model.h"
#include "quant/storage_choice.h"

namespace polaris {

/// Adds what a set's adapters do to matrices of a file, one after the other.
class MergeAdapters {
 public:
  MergeAdapters(const AdapterSet& set, const Metadata& metadata) : set_(set), metadata_(metadata) {}
  /// That all adapters are for the file's architecture, and that it has their matrices. Errors:
  /// invalid.
  Status check(const std::vector<NamedShape>& tensors) const;
  bool changes(const std::string& matrix) const;
  /// W + scale * B A of all adapters; `values` are the matrix's. Errors: invalid where a shape does
  /// not fit.
  Status add(ThreadPool& pool, const std::string& matrix, const Shape& shape, float* values) const;

 private:
  const AdapterSet& set_;
  const Metadata& metadata_;
};

}  // namespace polaris
