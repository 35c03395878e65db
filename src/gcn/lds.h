#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "gcn/fault.h"

namespace polaris::gcn {

/// The local memory of one workgroup, with who touched each byte since the last barrier.
class Lds {
 public:
  enum class Access : std::uint8_t { kRead, kWrite, kAtomic };
  struct Finding {
    bool bounds = false;
    bool unwritten = false;
    bool race = false;
    bool any() const { return bounds || unwritten || race; }
  };

  void resize(std::uint32_t bytes);
  /// A new workgroup: no byte is written, as after other work left its own there.
  void reset();
  /// All waves met: what they did before is ordered before what they do now.
  void barrier() { ++epoch_; }
  std::uint32_t bytes() const { return static_cast<std::uint32_t>(data_.size()); }

  /// Notes an access and says what is wrong with it. The bytes are valid unless `bounds`.
  Finding access(std::uint32_t address, std::uint32_t bytes, std::uint32_t wave, Access kind);
  std::byte* at(std::uint32_t address) { return data_.data() + address; }

 private:
  /// Epoch and wave of the last write; epoch of the last read and whether by several waves.
  struct Touch {
    std::uint32_t write_epoch = 0;  // 0: never
    std::uint32_t read_epoch = 0;
    std::uint16_t writer = 0;
    std::uint16_t reader = 0;
    bool shared_read = false;
    bool atomic = false;
  };
  static constexpr std::uint32_t kSlack = 16;
  std::vector<std::byte> data_;
  std::vector<Touch> touches_;
  std::uint32_t epoch_ = 1;
  std::uint32_t first_epoch_ = 1;  // of this workgroup
};

}  // namespace polaris::gcn
