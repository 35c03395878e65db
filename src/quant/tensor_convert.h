#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/function_ref.h"
#include "base/result.h"
#include "base/thread_pool.h"
#include "tensor/tensor.h"

namespace polaris {

/// Whether TensorConvert reads such a tensor: float32, float16, bfloat16, or any block format.
bool can_convert(const TensorType& type);

/// Turns tensors into another storage, some pieces at a time on all threads, so that none is in
/// memory as a whole.
class TensorConvert {
 public:
  explicit TensorConvert(ThreadPool& pool);
  /// Takes the next bytes of the new storage, and how many of the old one they stand for.
  using Put = FunctionRef<Status(std::span<const std::byte> bytes, std::int64_t read)>;
  /// Both types can_convert() and have one shape, and `to` is one that is written here. Gives the
  /// root of the squared error over that of the squares. Errors: invalid where a value is no finite
  /// number, or too large for the new storage; what `put` says.
  Result<double> run(const TensorType& from, std::span<const std::byte> bytes, const TensorType& to,
                     Put put);

 private:
  struct Piece {
    double squares = 0;
    double error = 0;
    bool finite = true;
  };
  ThreadPool& pool_;
  std::vector<float> scratch_;  // for each thread, values before and after
  std::vector<std::byte> out_;
  std::vector<Piece> pieces_;
};

}  // namespace polaris
