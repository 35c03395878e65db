#include "ids_file.h"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/os/files.h"

namespace polaris::cli {
namespace {

constexpr std::int64_t kBytesMax = std::int64_t{64} << 20;

}  // namespace

Result<std::vector<TokenId>> read_ids(const std::string& path) {
  using Json = nlohmann::json;
  auto text = read_file(path, kBytesMax);
  if (!text) return text.error();
  const auto refuse = [&](const std::string& what) {
    return Error::invalid("[cli] '" + path + "', got " + what +
                          ", wanted a JSON list of token ids, or an object with one under \"ids\"");
  };
  const Json json = Json::parse(*text, nullptr, false);
  if (json.is_discarded()) return refuse("no JSON");
  const Json* list = &json;
  if (json.is_object() && json.contains("ids")) list = &json.at("ids");
  if (!list->is_array()) return refuse("no list");
  std::vector<TokenId> out;
  out.reserve(list->size());
  for (const Json& entry : *list) {
    const bool whole = entry.is_number_unsigned() || entry.is_number_integer();
    if (!whole || !std::in_range<TokenId>(entry.get<std::int64_t>()) ||
        entry.get<std::int64_t>() < 0) {
      return refuse("element " + std::to_string(out.size()) + " that is no token id");
    }
    out.push_back(static_cast<TokenId>(entry.get<std::int64_t>()));
  }
  return out;
}

}  // namespace polaris::cli
