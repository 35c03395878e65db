#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backend/backend.h"
#include "backend/kernel_family.h"
#include "base/thread_pool.h"

namespace polaris::cpu {

/// Instruction sets that kernels are compiled for; each includes those before it.
enum class Isa : std::uint8_t { kSse2, kAvx2, kAvx512, kVnni };

struct Simd;
struct QuantSimd;

/// What select() may choose from.
struct CpuTarget {
  Isa isa = Isa::kSse2;
  const Simd* simd = nullptr;  // vector functions of that instruction set
  const QuantSimd* quant = nullptr;
  int threads = 1;
};

/// A launch has room for so many optional operands more than its node names, at either end.
inline constexpr std::size_t kTrailingOptionals = 8;

/// Addresses of one launch; null: absent (trailing optional operands too), absorbed or unused.
struct Launch {
  const std::byte* const* inputs = nullptr;
  std::byte* const* outputs = nullptr;
  std::byte* workspace = nullptr;
  ThreadPool* pool = nullptr;

  template <class T>
  const T* in(int i) const {
    return reinterpret_cast<const T*>(inputs[i]);
  }
  template <class T>
  T* out(int i) const {
    return reinterpret_cast<T*>(outputs[i]);
  }
};

/// A kernel of this backend: a description and a function over addresses.
class CpuKernel : public Kernel {
 public:
  std::string_view name() const final { return name_; }
  std::int64_t workspace_bytes() const final { return workspace_; }
  bool absorbs(int input) const final { return input < 64 && ((absorbed_ >> input) & 1u) != 0; }
  std::string weight_layout(int input) const final {
    const Packing* packing = packing_of(input);
    return packing == nullptr ? std::string() : packing->layout;
  }
  std::int64_t packed_bytes(int input) const final {
    const Packing* packing = packing_of(input);
    return packing == nullptr ? 0 : packing->bytes;
  }
  Status pack(int input, const Constant& weight, std::span<std::byte> out) const final;
  bool rather_channels_last() const final { return rather_channels_last_; }

  virtual Status run(const Launch& launch) const = 0;

  using Packer = std::function<Status(const Constant&, std::span<std::byte>)>;
  /// Constant `input` stands in memory as `packer` writes it.
  void set_packing(int input, std::string layout, std::int64_t size, Packer packer);
  void absorb(int input) { absorbed_ |= std::uint64_t{1} << input; }
  /// Absorbs and packs what `other` does.
  void take_weights_of(const CpuKernel& other);
  void set_workspace(std::int64_t size) { workspace_ = size; }
  void wish_channels_last() { rather_channels_last_ = true; }

 protected:
  explicit CpuKernel(std::string name) : name_(std::move(name)) {}

 private:
  struct Packing {
    int input = 0;
    std::string layout;
    std::int64_t bytes = 0;
    Packer packer;
  };
  const Packing* packing_of(int input) const;

  std::string name_;
  std::int64_t workspace_ = 0;
  std::uint64_t absorbed_ = 0;
  bool rather_channels_last_ = false;
  std::vector<Packing> packings_;
};

using KernelResult = Result<std::shared_ptr<CpuKernel>>;

using KernelFamily = polaris::KernelFamily<CpuTarget>;

/// A kernel whose run() is `body(const Launch&)`, which returns Status or nothing.
template <class Body>
std::shared_ptr<CpuKernel> make_kernel(std::string name, Body body) {
  class BodyKernel final : public CpuKernel {
   public:
    BodyKernel(std::string name, Body body) : CpuKernel(std::move(name)), body_(std::move(body)) {}
    Status run(const Launch& launch) const override {
      if constexpr (std::is_void_v<decltype(body_(launch))>) {
        body_(launch);
        return Status::success();
      } else {
        return body_(launch);
      }
    }

   private:
    Body body_;
  };
  return std::make_shared<BodyKernel>(std::move(name), std::move(body));
}

/// Why a family does not take a node.
Error unsupported(const NodeDesc& node, std::string_view why);

}  // namespace polaris::cpu
