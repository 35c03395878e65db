#include "save/onnx/onnx_writer.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "base/checked.h"
#include "base/os/files.h"
#include "base/os/output_file.h"
#include "base/strings.h"
#include "ir/nested.h"
#include "save/onnx/graph_writer.h"
#include "save/onnx/lower.h"
#include "save/onnx/weights.h"

namespace polaris {
namespace {

using onnx::Message;

// Protobuf reads no message of 2 GiB; what is not weights takes its share.
constexpr std::int64_t kMessageMax = INT32_MAX;
constexpr std::int64_t kWeightsMax = kMessageMax - (std::int64_t{64} << 20);
constexpr std::int64_t kChunkBytes = std::int64_t{8} << 20;

/// Bytes of all constants, each once.
std::int64_t weight_bytes(const Graph& root) {
  std::set<const Constant*> seen;
  std::int64_t sum = 0;
  for (const Graph* graph : graphs_within(root)) {
    for (const ValueId id : graph->value_ids()) {
      const Constant* constant = graph->value(id).constant.get();
      if (constant == nullptr || !seen.insert(constant).second) continue;
      sum = checked_add(sum, onnx::written_bytes_max(*constant)).value_or(INT64_MAX);
    }
  }
  return sum;
}

/// The IR version that came with an op-set: it has the dtypes that the op-set has.
std::int64_t ir_version_of(std::int64_t opset) {
  if (opset <= 22) return 10;
  return std::min<std::int64_t>(opset - 12, 13);
}

Message opset_message(std::string_view domain, std::int64_t version) {
  Message out;
  out.text(1, domain);
  out.integer(2, version);
  return out;
}

/// What the loader found in the fields of a ModelProto.
bool is_field(std::string_view key) {
  static constexpr std::string_view kFields[] = {
      "ir_version", "model_version", "producer_name", "producer_version", "domain", "doc_string"};
  return std::find(std::begin(kFields), std::end(kFields), key) != std::end(kFields) ||
         key.starts_with("opset.");
}

void add_metadata(Message& model, const Metadata& metadata) {
  const auto at = [&](std::string_view key) -> const MetadataValue* {
    const auto found = metadata.find(key);
    return found == metadata.end() ? nullptr : &found->second;
  };
  if (const auto* value = at("domain"); value != nullptr) {
    if (const auto* text = std::get_if<std::string>(value)) model.text(4, *text);
  }
  if (const auto* value = at("model_version"); value != nullptr) {
    if (const auto* number = std::get_if<std::int64_t>(value)) model.integer(5, *number);
  }
  if (const auto* value = at("doc_string"); value != nullptr) {
    if (const auto* text = std::get_if<std::string>(value)) model.text(6, *text);
  }
  for (const auto& [key, value] : metadata) {
    const auto* text = std::get_if<std::string>(&value);
    if (text == nullptr || is_field(key)) continue;
    Message entry;
    entry.text(1, key);
    entry.text(2, *text);
    model.message(14, std::move(entry));
  }
}

/// Bytes on their way into the files, counted.
class Sink {
 public:
  Sink(const OnnxWriteOptions& options, std::int64_t all) : options_(options), all_(all) {}

  Status put(OutputFile& file, std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      if (options_.stop && options_.stop()) return Error::cancelled("[onnx] writing was stopped");
      const auto part = bytes.first(std::min<std::size_t>(bytes.size(), kChunkBytes));
      if (Status s = file.append(part); !s) return s;
      bytes = bytes.subspan(part.size());
      done_ += static_cast<std::int64_t>(part.size());
      if (options_.progress) options_.progress(done_, all_);
    }
    return Status::success();
  }

 private:
  const OnnxWriteOptions& options_;
  std::int64_t all_;
  std::int64_t done_ = 0;
};

Status put_outside(Sink& sink, OutputFile& file, const std::vector<Tensor>& tensors) {
  constexpr std::array<std::byte, onnx::kOutsideAlignment> kZeros{};
  std::int64_t written = 0;
  for (const Tensor& tensor : tensors) {
    const std::int64_t start = round_up(written, onnx::kOutsideAlignment);
    const auto gap = static_cast<std::size_t>(start - written);
    if (Status s = sink.put(file, std::span(kZeros).first(gap)); !s) return s;
    if (Status s = sink.put(file, tensor.bytes()); !s) return s;
    written = start + static_cast<std::int64_t>(tensor.bytes().size());
  }
  return Status::success();
}

Status choose_opset(onnx::WriteContext& file, std::int64_t wanted) {
  std::int64_t& opset = file.opsets[""];
  if (wanted != 0 && wanted < opset) {
    return Error::unsupported("[onnx] op-set, got " + std::to_string(wanted) + ", wanted " +
                              std::to_string(opset) + " or more, since " +
                              printable(file.opset_reason) + " needs it");
  }
  opset = std::max(opset, wanted);
  return Status::success();
}

Message model_message(onnx::WriteContext& file, Message graph, const Metadata& metadata,
                      const OnnxWriteOptions& options) {
  Message model;
  model.integer(1, ir_version_of(file.opsets[""]));
  model.text(2, "PolarisRT");
  if (!options.version.empty()) model.text(3, options.version);
  model.message(7, std::move(graph));
  for (const auto& [domain, version] : file.opsets) {
    model.message(8, opset_message(domain, version));
  }
  add_metadata(model, metadata);
  for (Message& function : file.functions) {
    for (const auto& [domain, version] : file.opsets) {
      function.message(9, opset_message(domain, version));
    }
    model.message(25, std::move(function));
  }
  return model;
}

Status put_files(const Message& model, const onnx::WriteContext& file, const std::string& path,
                 const OnnxWriteOptions& options) {
  Sink sink(options, model.size() + file.outside_bytes);
  auto out = OutputFile::create(path);
  if (!out) return out.error();
  const auto put_model = [&](std::span<const std::byte> bytes) { return sink.put(*out, bytes); };
  if (file.outside.empty()) {
    if (Status s = model.write(put_model); !s) return s;
    return out->commit();
  }
  auto outside = OutputFile::create(path_folder(path) + "/" + file.outside_name);
  if (!outside) return outside.error();
  if (Status s = put_outside(sink, *outside, file.outside); !s) return s;
  if (Status s = model.write(put_model); !s) return s;
  if (Status s = outside->commit(); !s) return s;
  return out->commit();
}

}  // namespace

Result<OnnxWriteReport> write_onnx(const Graph& graph, const Metadata& metadata, const OpSet& ops,
                                   const std::string& path, const OnnxWriteOptions& options) {
  Graph lowered = graph.clone();
  if (Status s = onnx::lower(lowered, ops); !s) return s.error();
  lowered.compact();
  onnx::WriteContext file;
  file.external = options.external_data || weight_bytes(lowered) > kWeightsMax;
  file.outside_name = path_name(path) + ".data";
  file.need_opset("", onnx::kOpsetMin, "every file");
  onnx::Names names;
  onnx::GraphWriter writer(file, names, nullptr);
  auto root = writer.write_root(lowered);
  if (!root) return root.error();
  if (Status s = choose_opset(file, options.opset); !s) return s.error();
  const Message model = model_message(file, root.take(), metadata, options);
  if (model.size() > kMessageMax) {
    return Error::exhausted("[onnx] model without its weights, got " +
                            std::to_string(model.size()) + " bytes, wanted at most " +
                            std::to_string(kMessageMax));
  }
  if (Status s = put_files(model, file, path, options); !s) return s.error();
  OnnxWriteReport report;
  report.nodes = file.nodes;
  report.functions = static_cast<std::int64_t>(file.functions.size());
  report.opset = file.opsets[""];
  report.bytes = model.size();
  report.external_bytes = file.outside_bytes;
  if (!file.outside.empty()) report.external_file = path_folder(path) + "/" + file.outside_name;
  report.notes = std::move(file.notes);
  return report;
}

}  // namespace polaris
