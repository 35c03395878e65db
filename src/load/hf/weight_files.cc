#include "load/hf/weight_files.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "base/checked.h"
#include "base/strings.h"
#include "tensor/dtype.h"
#include "wire/json.h"
#include "wire/safetensors.h"

namespace polaris::hf {
namespace {

constexpr std::size_t kIndexBytesMax = std::size_t{64} << 20;
constexpr const char* kWhole = "model.safetensors";
constexpr const char* kIndex = "model.safetensors.index.json";

Error bad_index(const std::string& what) { return Error::invalid("[hf] index " + what); }

std::string quoted(std::string_view text) { return "'" + printable(text) + "'"; }

std::string_view text_of(const SourceFile& file) {
  return {reinterpret_cast<const char*>(file.bytes.data()), file.bytes.size()};
}

bool is_aligned(const SafetensorsTensor& tensor) {
  const int bits = dtype_info(tensor.type.dtype).bits;
  const auto size = static_cast<std::uintptr_t>(std::max(bits / 8, 1));
  return reinterpret_cast<std::uintptr_t>(tensor.bytes.data()) % size == 0;
}

Result<Weight> make_weight(const SafetensorsTensor& tensor, const SourceFile& file) {
  Weight out;
  out.name = tensor.name;
  out.storage = dtype_name(tensor.type.dtype);
  out.shape = tensor.type.shape;
  out.bytes = static_cast<std::int64_t>(tensor.bytes.size());
  auto constant = std::make_shared<Constant>();
  constant->name = tensor.name;
  if (is_aligned(tensor)) {
    constant->data = Tensor::view(tensor.type, tensor.bytes, file.owner);
    constant->file = file.mapping;
  } else {
    auto copy = Tensor::from_bytes(tensor.type, tensor.bytes);
    if (!copy) return copy.error();
    constant->data = copy.take();
  }
  out.constant = std::move(constant);
  return out;
}

using ByFile = std::map<std::string, std::set<std::string>, std::less<>>;

Result<ByFile> read_index(std::string_view text) {
  if (text.size() > kIndexBytesMax) {
    return bad_index("got " + std::to_string(text.size()) + " bytes, wanted at most " +
                     std::to_string(kIndexBytesMax));
  }
  const auto document = JsonDocument::parse(text);
  if (!document) return document.error().with_context("[hf] index");
  const JsonValue map = document->root()["weight_map"];
  if (!map.is(JsonKind::kObject) || map.size() == 0) {
    return bad_index("'weight_map', got no names, wanted an object of tensors and their files");
  }
  ByFile out;
  std::set<std::string_view> names;
  for (JsonValue entry = map.first(); entry; entry = entry.next()) {
    const auto file = entry.text();
    if (!file) return bad_index("tensor " + quoted(entry.name()) + ", got no file's name");
    if (!names.insert(entry.name()).second) {
      return bad_index("tensor " + quoted(entry.name()) + " is there twice");
    }
    out[std::string(*file)].emplace(entry.name());
  }
  return out;
}

}  // namespace

Result<std::vector<Weight>> read_safetensors(const SourceFile& file) {
  const auto parsed = parse_safetensors(file.bytes);
  if (!parsed) return parsed.error();
  std::vector<Weight> out;
  for (const SafetensorsTensor& tensor : parsed->tensors) {
    auto weight = make_weight(tensor, file);
    if (!weight) return weight.error();
    out.push_back(weight.take());
  }
  return out;
}

bool is_index(std::string_view text) {
  if (text.size() > kIndexBytesMax || !text.starts_with('{')) return false;
  const auto document = JsonDocument::parse(text);
  return document && document->root()["weight_map"].is(JsonKind::kObject);
}

Result<std::vector<Weight>> read_sharded(Source& source, const SourceFile& index) {
  auto files = read_index(text_of(index));
  if (!files) return files.error();
  std::vector<Weight> out;
  for (auto& [name, tensors] : *files) {
    const auto file = source.file(name);
    if (!file) return file.error().with_context("[hf] index names " + quoted(name));
    auto weights = read_safetensors(*file);
    if (!weights) return weights.error().with_context(quoted(name));
    for (Weight& weight : *weights) {
      // What the index does not say is in another file, or is of no use.
      if (tensors.erase(weight.name) > 0) out.push_back(std::move(weight));
    }
    if (!tensors.empty()) {
      return bad_index("tensor " + quoted(*tensors.begin()) + ", wanted it in " + quoted(name) +
                       ", which does not have it");
    }
  }
  return out;
}

Result<std::vector<Weight>> read_folder_weights(Source& source) {
  const auto whole = source.file(kWhole);
  if (whole) {
    auto weights = read_safetensors(*whole);
    if (!weights) return weights.error().with_context(kWhole);
    return weights;
  }
  if (whole.error().code() != ErrorCode::kNotFound) return whole.error();
  const auto index = source.file(kIndex);
  if (index) return read_sharded(source, *index);
  if (index.error().code() != ErrorCode::kNotFound) return index.error();
  return Error::not_found(std::string("[hf] got neither ") + kWhole + " nor " + kIndex +
                          " beside config.json, wanted one of them");
}

Status add_weights(Model& model, std::vector<Weight> weights) {
  for (const Weight& weight : weights) {
    const auto count = checked_add(model.parameter_count, weight.shape.elements());
    const auto bytes = checked_add(model.file_bytes, weight.bytes);
    if (!count || !bytes) return Error::invalid("[hf] the tensors' sizes do not add up");
    model.parameter_count = *count;
    model.file_bytes = *bytes;
  }
  model.weights = std::move(weights);
  return Status::success();
}

}  // namespace polaris::hf
