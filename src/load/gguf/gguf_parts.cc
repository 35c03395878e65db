#include "load/gguf/gguf_parts.h"

#include <cstdio>
#include <optional>
#include <set>
#include <string_view>

#include "base/os/files.h"
#include "base/strings.h"

namespace polaris::gguf {
namespace {

constexpr std::string_view kNumberKey = "split.no";
constexpr std::string_view kCountKey = "split.count";
constexpr std::string_view kTensorsKey = "split.tensors.count";
constexpr auto kPartsMax = static_cast<std::int64_t>(Source::kFilesMax);

Error bad(const std::string& what) { return Error::invalid("[gguf] " + what); }

std::string quoted(std::string_view text) { return "'" + printable(text) + "'"; }

/// "-00002-of-00003.gguf" of the part with number 1 of 3.
std::string part_ending(std::int64_t number, std::int64_t count) {
  char text[64];
  std::snprintf(text, sizeof text, "-%05lld-of-%05lld.gguf", static_cast<long long>(number + 1),
                static_cast<long long>(count));
  return text;
}

/// A whole number of the metadata in [0, max]; nothing where the key is absent.
Result<std::optional<std::int64_t>> number_in(const Metadata& metadata, std::string_view key,
                                              std::int64_t max) {
  const auto at = metadata.find(key);
  if (at == metadata.end()) return std::optional<std::int64_t>();
  const auto* value = std::get_if<std::int64_t>(&at->second);
  if (value == nullptr || *value < 0 || *value > max) {
    return bad(std::string(key) + ", got " +
               (value == nullptr ? "no whole number" : std::to_string(*value)) + ", wanted 0 to " +
               std::to_string(max));
  }
  return std::optional(*value);
}

/// The name of a model's parts without their endings, from the first part's name.
Result<std::string> stem_of(const std::string& name, const Metadata& metadata, std::int64_t count) {
  const auto number = number_in(metadata, kNumberKey, count - 1);
  if (!number) return number.error();
  const std::string first = part_ending(0, count);
  if (*number != 0) {
    std::string wanted = "the first";
    const std::string here = part_ending(number->value_or(0), count);
    if (name.ends_with(here)) {
      wanted = quoted(name.substr(0, name.size() - here.size()) + first);
    }
    return bad("split.no, got " + (*number ? std::to_string(**number) : "none") + " of " +
               std::to_string(count) + " parts, wanted 0: the model is opened by " + wanted);
  }
  if (!name.ends_with(first)) {
    return bad("name of the first of " + std::to_string(count) + " parts, got " + quoted(name) +
               ", wanted one that ends in '" + first + "'");
  }
  return name.substr(0, name.size() - first.size());
}

/// A later part repeats some keys of the first or none: what it repeats must be the same, its
/// number and the alignment of its own tensors apart.
Status check_part(const Metadata& part, const Metadata& first, std::int64_t number,
                  std::int64_t count) {
  const auto got = number_in(part, kNumberKey, count - 1);
  if (!got) return got.error();
  if (*got != number) {
    return bad("split.no, got " + (*got ? std::to_string(**got) : "none") + ", wanted " +
               std::to_string(number));
  }
  const auto parts = number_in(part, kCountKey, kPartsMax);
  if (!parts) return parts.error();
  if (*parts != count) {
    return bad("split.count, got " + (*parts ? std::to_string(**parts) : "none") + ", wanted " +
               std::to_string(count) + " as in the first part");
  }
  for (const auto& [key, value] : part) {
    if (key == kNumberKey || key == "general.alignment") continue;
    const auto at = first.find(key);
    if (at != first.end() && at->second != value) {
      return bad("key " + quoted(key) + " differs from the first part's");
    }
  }
  return Status::success();
}

Result<GgufPart> read_part(const SourceFile& file) {
  auto parsed = parse_gguf(file.bytes);
  if (!parsed) return parsed.error();
  return GgufPart{file, parsed.take()};
}

/// No name in two parts, and as many tensors as the first part says.
Status check_tensors(const std::vector<GgufPart>& parts) {
  std::set<std::string_view> names;
  for (const GgufPart& part : parts) {
    for (const TensorInfo& info : part.gguf.tensors) {
      if (!names.insert(info.name).second) {
        return bad("tensor " + quoted(info.name) + " appears in two parts");
      }
    }
  }
  const auto wanted = number_in(parts[0].gguf.metadata, kTensorsKey, INT64_MAX);
  if (!wanted) return wanted.error();
  const auto got = static_cast<std::int64_t>(names.size());
  if (*wanted && **wanted != got) {
    return bad("tensors of all parts, got " + std::to_string(got) + ", wanted " +
               std::to_string(**wanted) + " as split.tensors.count says");
  }
  return Status::success();
}

}  // namespace

Result<std::vector<GgufPart>> read_parts(Source& source) {
  std::vector<GgufPart> parts;
  auto main = read_part(source.main());
  if (!main) return main.error();
  parts.push_back(main.take());
  const auto read_count = number_in(parts[0].gguf.metadata, kCountKey, kPartsMax);
  if (!read_count) return read_count.error();
  const std::int64_t count = read_count->value_or(0);
  if (count <= 1) return parts;
  const auto stem = stem_of(path_name(source.path()), parts[0].gguf.metadata, count);
  if (!stem) return stem.error();
  for (std::int64_t number = 1; number < count; ++number) {
    const std::string name = *stem + part_ending(number, count);
    const std::string which =
        "part " + std::to_string(number + 1) + " of " + std::to_string(count) + ", " + quoted(name);
    const auto file = source.file(name);
    if (!file) return file.error().with_context(which);
    auto part = read_part(*file);
    if (!part) return part.error().with_context(which);
    if (auto status = check_part(part->gguf.metadata, parts[0].gguf.metadata, number, count);
        !status) {
      return status.error().with_context(which);
    }
    // Only the first part's is the model's; what the others hold is read and let go.
    part->gguf.metadata.clear();
    part->gguf.entries.clear();
    parts.push_back(part.take());
  }
  if (auto status = check_tensors(parts); !status) return status.error();
  return parts;
}

}  // namespace polaris::gguf
