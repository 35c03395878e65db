#include "radv/variants.h"

#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

namespace polaris::radv {
namespace {

std::uint32_t specialization_bits(const nlohmann::json& value) {
  if (value.is_boolean()) return value.get<bool>() ? 1 : 0;
  if (value.is_number_float()) {
    const float number = value.get<float>();
    std::uint32_t bits = 0;
    std::memcpy(&bits, &number, sizeof bits);
    return bits;
  }
  return static_cast<std::uint32_t>(value.get<std::int64_t>());
}

}  // namespace

std::vector<Variant> read_variants(const std::string& path) {
  std::ifstream file(path);
  std::vector<Variant> out;
  for (const nlohmann::json& in : nlohmann::json::parse(file)) {
    Variant one{.name = in.at("name"), .file = in.at("file")};
    for (const auto& [id, value] : in.at("specialization").items()) {
      one.specialization.emplace_back(
          static_cast<std::uint32_t>(std::strtoul(id.c_str(), nullptr, 10)),
          specialization_bits(value));
    }
    one.bindings = in.at("bindings");
    one.push_constant_bytes = in.at("push_constant_bytes");
    one.work_per_trip = in.at("work_per_trip");
    out.push_back(std::move(one));
  }
  return out;
}

std::vector<std::uint32_t> read_words(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return {};
  std::vector<std::uint32_t> words(static_cast<std::size_t>(file.tellg()) / 4);
  file.seekg(0);
  file.read(reinterpret_cast<char*>(words.data()),
            static_cast<std::streamsize>(words.size() * sizeof(words[0])));
  return words;
}

}  // namespace polaris::radv
