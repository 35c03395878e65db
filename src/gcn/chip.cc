#include "gcn/chip.h"

#include <array>
#include <charconv>

namespace polaris::gcn {
namespace {

struct Card {
  const char* name;
  int cus;
  double mhz;
  double gb_per_s;
};

// The reference cards' data sheets: boost clocks, memory of 8 GB cards.
constexpr std::array kCards = {Card{"rx470", 32, 1206, 211}, Card{"rx480", 36, 1266, 256},
                               Card{"rx570", 32, 1244, 224}, Card{"rx580", 36, 1340, 256},
                               Card{"rx590", 36, 1545, 256}};

}  // namespace

Result<Chip> find_chip(std::string_view name) {
  const std::size_t colon = name.find(':');
  for (const Card& card : kCards) {
    if (name.substr(0, colon) != card.name) continue;
    Chip chip;
    chip.name = card.name;
    chip.cus = card.cus;
    chip.mhz = card.mhz;
    chip.dram_gb_per_s = card.gb_per_s;
    if (colon == std::string_view::npos) return chip;
    const std::string_view clock = name.substr(colon + 1);
    int mhz = 0;
    const auto [end, error] = std::from_chars(clock.data(), clock.data() + clock.size(), mhz);
    if (error == std::errc() && end == clock.data() + clock.size() && mhz >= 100 && mhz <= 3000) {
      chip.mhz = mhz;
      return chip;
    }
  }
  return Error::invalid("[gcn] chip, got '" + std::string(name) +
                        "', wanted rx470, rx480, rx570, rx580 or rx590, and :MHz from 100 to 3000");
}

}  // namespace polaris::gcn
