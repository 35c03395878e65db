#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "arch/adapter/adapter.h"
#include "backend/backend.h"
#include "base/result.h"
#include "quant/scheme.h"
#include "tensor/shape.h"

namespace polaris {

struct QuantizeOptions {
  const QuantScheme* scheme = nullptr;
  /// Take weights that are in blocks already: their errors add to the new ones.
  bool allow_requantize = false;
  int threads = 0;  // 0: one per core
  /// What is added to the matrices that it changes, before they are stored; null: nothing.
  const AdapterSet* adapters = nullptr;
  const CancelToken* cancel = nullptr;
  /// Bytes of the source that are done, and all of them.
  std::function<void(std::int64_t done, std::int64_t all)> progress;
};

/// What became of a tensor.
struct QuantizedTensor {
  std::string name;
  Shape shape;
  std::string_view from;    // "f16"
  std::string_view to;      // "q5_0"
  std::string_view wanted;  // what `to` stands in for; else empty
  std::int64_t bytes_before = 0;
  std::int64_t bytes_after = 0;
  double relative_error = 0;  // root of the squared error over that of the squares
};

struct QuantizeReport {
  std::vector<QuantizedTensor> tensors;
  std::int64_t elements = 0;
  std::int64_t bytes_before = 0;  // of the source's files
  std::int64_t bytes_after = 0;
};

/// Writes the GGUF model `from`, in one file or several, as one file `to`, its matrices stored as
/// the scheme says and all else as it was. No tensor is in memory as a whole but one that adapters
/// change. Errors: what reading gives; invalid (`to` is a file of the model; a weight that is no
/// number or too large for its blocks); unsupported (no GGUF; blocks to be made of blocks without
/// leave, or of what nothing here reads); cancelled; io. Where there is one, `to` is as it was.
Result<QuantizeReport> quantize_gguf(const std::string& from, const std::string& to,
                                     const QuantizeOptions& options);

}  // namespace polaris
