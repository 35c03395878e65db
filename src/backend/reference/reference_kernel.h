#pragma once
#include <memory>
#include <string>
#include <vector>

#include "backend/backend.h"

namespace polaris::reference {

/// Any node with a reference, as select() took it.
class ReferenceKernel final : public Kernel {
 public:
  explicit ReferenceKernel(const NodeDesc& node);

  std::string_view name() const override { return name_; }
  /// Host-read inputs whose values are known need not be in device memory.
  bool absorbs(int input) const override {
    return static_cast<bool>(inputs_[static_cast<std::size_t>(input)].value);
  }
  /// Runs the node on host addresses, one per operand (null: absent), each in the layout that
  /// select() was asked for: the op's own reference sees row-major copies.
  Status run(std::string_view node_name, std::span<std::byte* const> inputs,
             std::span<std::byte* const> outputs) const;

 private:
  struct Input {
    TensorType type;
    Layout layout = Layout::kRowMajor;
    bool present = false;
    Tensor scale;
    Tensor zero_point;
    Tensor value;  // known on the host
  };
  const OpDef* op_;
  std::unique_ptr<Attrs> attrs_;
  std::string name_;
  std::vector<Input> inputs_;
  struct Output {
    TensorType type;
    Layout layout = Layout::kRowMajor;
  };
  std::vector<Output> outputs_;  // without the dims operands of data-dependent ops
};

}  // namespace polaris::reference
