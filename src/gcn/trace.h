#pragma once
#include <cstdint>
#include <vector>

#include "gcn/program.h"
#include "gcn/wave.h"

namespace polaris::gcn {

/// What one workgroup executed, wave by wave: instructions, and what the memory ones touched.
class Trace final : public Observer {
 public:
  static constexpr std::uint32_t kNone = ~0U;
  struct Step {
    std::uint32_t instruction = 0;
    std::uint32_t access = kNone;
  };
  struct Access {
    std::uint32_t first = 0;  // in lines()
    std::uint32_t count = 0;
    std::uint32_t cycles = 0;  // that its unit is kept: lines a quarter wave, or bank passes
  };

  Trace(const Program& program, int waves)
      : program_(program), steps_(static_cast<std::size_t>(waves)) {}
  void instruction(const Wave& wave, std::uint32_t index) override;
  void memory(const Wave& wave, const std::array<std::uint64_t, kLanes>& addresses,
              std::uint64_t mask, std::uint32_t bytes) override;

  const std::vector<std::vector<Step>>& waves() const { return steps_; }
  const Access& access(std::uint32_t index) const { return accesses_[index]; }
  const std::uint64_t* lines(const Access& a) const { return lines_.data() + a.first; }
  std::int64_t size() const;

 private:
  void vector_lines(const std::array<std::uint64_t, kLanes>& addresses, std::uint64_t mask,
                    std::uint32_t bytes, Access& out);
  const Program& program_;
  std::vector<std::vector<Step>> steps_;
  std::vector<Access> accesses_;
  std::vector<std::uint64_t> lines_;
};

/// Cycles that local memory needs for one access: as many lanes at a time as fill its banks, each
/// bank one word a cycle; lanes that read the same word share it.
std::uint32_t bank_cycles(const std::array<std::uint64_t, kLanes>& addresses, std::uint64_t mask,
                          std::uint32_t bytes);

}  // namespace polaris::gcn
