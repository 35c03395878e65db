#include "save/safetensors/safetensors_writer.h"

#include <algorithm>
#include <bit>
#include <memory>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "base/checked.h"
#include "base/json_writer.h"
#include "base/os/output_file.h"
#include "base/strings.h"
#include "ir/nested.h"
#include "tensor/block_codec.h"
#include "wire/safetensors.h"

namespace polaris {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::size_t kAlignment = 8;                           // of the tensors' bytes in the file
constexpr std::size_t kPiece = std::size_t{4} << 20;            // bytes between two looks at `stop`
constexpr std::int64_t kElementsPiece = std::int64_t{1} << 20;  // decoded at once

struct Entry {
  std::string name;
  std::shared_ptr<const Constant> constant;
  TensorType type;  // as the file has it
  std::int64_t bytes = 0;

  bool decoded() const { return constant->data.type().encoding.is_block(); }
};

Error bad(const std::string& name, const std::string& what) {
  return Error::unsupported("[safetensors] tensor '" + printable(name) + "', got " + what);
}

Result<Entry> make_entry(const std::string& name, std::shared_ptr<const Constant> constant) {
  Entry out{name, std::move(constant), {}, 0};
  const TensorType& type = out.constant->data.type();
  if (!type.encoding.is_plain() && !type.encoding.is_block()) {
    return bad(name, type.to_string() + ", wanted plain numbers or blocks");
  }
  out.type = {out.decoded() ? DType::kF32 : type.dtype, type.shape, {}};
  if (!safetensors_code(out.type.dtype)) {
    return bad(name, type.to_string() + ", which the format has no name for");
  }
  const auto bytes = out.type.bytes();
  if (!bytes) return bad(name, type.to_string() + ", which has no size");
  out.bytes = *bytes;
  return out;
}

/// Named constants of all functions. What we made ourselves on loading is there under its node's
/// name; it is part of the network as much as what the file has.
void add_constants(const Model& model,
                   std::vector<std::pair<std::string, std::shared_ptr<const Constant>>>& out) {
  std::set<const Constant*> seen;
  for (const auto& [function, root] : model.functions) {
    for (const Graph* graph : graphs_within(root)) {
      for (const ValueId id : graph->value_ids()) {
        const Value& value = graph->value(id);
        if (!value.constant || value.type.dtype == DType::kString) continue;
        if (!seen.insert(value.constant.get()).second) continue;
        const std::string& name = value.constant->name;
        if (!name.empty()) out.emplace_back(name, value.constant);
      }
    }
  }
}

/// In the order of the file: wide numbers first, so that all stand where their width needs.
Result<std::vector<Entry>> entries_of(const Model& model) {
  std::vector<std::pair<std::string, std::shared_ptr<const Constant>>> named;
  for (const Weight& weight : model.weights) {
    if (!weight.constant) {
      return bad(weight.name, "it stored as " + weight.storage + ", which nothing here reads");
    }
    named.emplace_back(weight.name, weight.constant);
  }
  if (model.weights.empty()) add_constants(model, named);
  if (named.empty()) {
    return Error::invalid("[safetensors] the model has no tensors, wanted at least one");
  }
  std::vector<Entry> out;
  std::set<std::string_view> names;
  for (const auto& [name, constant] : named) {
    if (!names.insert(name).second || name == "__metadata__") {
      return Error::invalid("[safetensors] tensor '" + printable(name) +
                            "', got the name twice, or one that the format keeps for itself");
    }
    auto entry = make_entry(name, constant);
    if (!entry) return entry.error();
    out.push_back(entry.take());
  }
  std::ranges::stable_sort(out, [](const Entry& a, const Entry& b) {
    return dtype_info(a.type.dtype).bits > dtype_info(b.type.dtype).bits;
  });
  return out;
}

/// Padded with spaces, as the format allows, so that the tensors begin aligned.
Result<std::string> header_of(const std::vector<Entry>& entries) {
  JsonWriter json;
  json.begin_object().key("__metadata__").begin_object().field("format", "pt").end_object();
  std::int64_t at = 0;
  for (const Entry& entry : entries) {
    const auto end = checked_add(at, entry.bytes);
    if (!end) return Error::invalid("[safetensors] the tensors' sizes do not add up");
    json.key(entry.name).begin_object();
    json.field("dtype", *safetensors_code(entry.type.dtype)).key("shape").begin_array();
    for (const std::int64_t dim : entry.type.shape) json.value(dim);
    json.end_array().key("data_offsets").begin_array().value(at).value(*end).end_array();
    json.end_object();
    at = *end;
  }
  json.end_object();
  std::string out = json.take();
  out.resize((out.size() + kAlignment - 1) / kAlignment * kAlignment, ' ');
  return out;
}

class Writer {
 public:
  Writer(OutputFile file, const SafetensorsWriteOptions& options)
      : file_(std::move(file)), options_(options) {}

  Status put(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      if (options_.stop && options_.stop()) return Error::cancelled("[safetensors] stopped");
      const auto piece = bytes.first(std::min(bytes.size(), kPiece));
      if (auto s = file_.append(piece); !s) return s;
      bytes = bytes.subspan(piece.size());
      done_ += static_cast<std::int64_t>(piece.size());
      if (options_.progress) options_.progress(done_, all_);
    }
    return Status::success();
  }

  Status put_decoded(const Tensor& blocks) {
    const BlockFormat format = blocks.type().encoding.format;
    const BlockFormatInfo& info = block_format_info(format);
    const std::int64_t most = kElementsPiece / info.block_elements * info.block_elements;
    std::vector<float> values(static_cast<std::size_t>(std::min(most, blocks.elements())));
    for (std::int64_t at = 0; at < blocks.elements(); at += most) {
      const std::int64_t count = std::min(most, blocks.elements() - at);
      const std::int64_t offset = at / info.block_elements * info.block_bytes;
      decode_blocks(format, blocks.bytes().data() + offset, count, values.data());
      const auto bytes =
          std::as_bytes(std::span(values)).first(static_cast<std::size_t>(count) * sizeof(float));
      if (auto s = put(bytes); !s) return s;
    }
    return Status::success();
  }

  Status commit() { return file_.commit(); }
  void expect(std::int64_t all) { all_ = all; }
  std::int64_t written() const { return done_; }

 private:
  OutputFile file_;
  const SafetensorsWriteOptions& options_;
  std::int64_t done_ = 0;
  std::int64_t all_ = 0;
};

}  // namespace

Result<SafetensorsWriteReport> write_safetensors(const Model& model, const std::string& path,
                                                 const SafetensorsWriteOptions& options) {
  const auto entries = entries_of(model);
  if (!entries) return entries.error();
  const auto header = header_of(*entries);
  if (!header) return header.error();
  auto file = OutputFile::create(path);
  if (!file) return file.error();
  Writer writer(file.take(), options);
  SafetensorsWriteReport report;
  const std::uint64_t length = header->size();
  std::int64_t all = static_cast<std::int64_t>(sizeof length + length);
  for (const Entry& entry : *entries) all += entry.bytes;
  writer.expect(all);
  Status status = writer.put(std::as_bytes(std::span(&length, 1)));
  if (status) status = writer.put(std::as_bytes(std::span(*header)));
  for (const Entry& entry : *entries) {
    if (!status) break;
    const Tensor& data = entry.constant->data;
    status = entry.decoded() ? writer.put_decoded(data) : writer.put(data.bytes());
    ++report.tensors;
    report.decoded += entry.decoded() ? 1 : 0;
  }
  if (status) status = writer.commit();
  if (!status) return status.error();
  report.bytes = writer.written();
  return report;
}

}  // namespace polaris
