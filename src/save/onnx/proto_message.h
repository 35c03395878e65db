#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tensor/tensor.h"

namespace polaris::onnx {

/// A protobuf message that is being written. The bytes of tensors are held, not copied: a model
/// takes no more memory than it has.
class Message {
 public:
  void integer(int field, std::int64_t value);
  void real(int field, float value);
  void text(int field, std::string_view value);
  void message(int field, Message value);
  /// All bytes of a tensor without strings, as a field.
  void bytes(int field, const Tensor& tensor);

  std::int64_t size() const { return size_; }
  /// Hands out all bytes in order, until the sink fails.
  Status write(const std::function<Status(std::span<const std::byte>)>& sink) const;

 private:
  struct Piece {
    std::string own;
    Tensor held;  // comes after `own`
  };
  std::string& end();
  void varint(std::uint64_t value);
  void tag(int field, int wire);

  std::vector<Piece> pieces_;
  std::int64_t size_ = 0;
};

}  // namespace polaris::onnx
