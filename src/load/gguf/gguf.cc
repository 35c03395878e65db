#include <algorithm>

#include "base/checked.h"
#include "base/strings.h"
#include "load/built_model.h"
#include "load/gguf/gguf_file.h"
#include "load/gguf/gguf_parts.h"
#include "load/gguf/gguf_tokenizer.h"
#include "load/loader.h"

namespace polaris {
namespace {

using gguf::TensorInfo;

// GGUF's own names are the ones arch/ uses, so the map is the prefix alone.
class GgufInput final : public ArchInput {
 public:
  GgufInput(const Model& model, std::string_view architecture, const OpSet& ops,
            const ArchOptions& options)
      : ArchInput(ops, options),
        model_(model),
        prefix_(std::string(architecture) + "."),
        taken_(model.weights.size(), false) {
    for (std::size_t i = 0; i < model.weights.size(); ++i) by_name_[model.weights[i].name] = i;
  }

  const MetadataValue* hyperparameter(std::string_view name) const override {
    const auto at = model_.metadata.find(prefix_ + std::string(name));
    return at == model_.metadata.end() ? nullptr : &at->second;
  }

  bool has_weight(std::string_view name) const override { return by_name_.contains(name); }

  Result<std::shared_ptr<const Constant>> weight(std::string_view name) const override {
    const auto at = by_name_.find(name);
    if (at == by_name_.end()) {
      return Error::not_found("[gguf] tensor '" + std::string(name) + "' is missing");
    }
    const Weight& weight = model_.weights[at->second];
    taken_[at->second] = true;
    if (weight.constant) return weight.constant;
    return Error::unsupported("[gguf] tensor '" + std::string(name) + "' is stored as " +
                              weight.storage +
                              ", wanted plain numbers, q2_k to q8_0, iq, tq, mxfp4 or nvfp4");
  }

  /// What is wrong where the architecture had no use for some tensors: the network would not be the
  /// one that the file holds.
  std::string left_over() const {
    const auto count = std::count(taken_.begin(), taken_.end(), false);
    if (count == 0) return {};
    const auto first = std::find(taken_.begin(), taken_.end(), false) - taken_.begin();
    return "tensors, got " + std::to_string(count) +
           " that the network has no place for, such as '" +
           printable(model_.weights[static_cast<std::size_t>(first)].name) +
           "', wanted none left over";
  }

 private:
  const Model& model_;
  std::string prefix_;
  std::map<std::string, std::size_t, std::less<>> by_name_;
  mutable std::vector<bool> taken_;
};

Weight make_weight(const TensorInfo& info, const SourceFile& file) {
  Weight out;
  out.name = info.name;
  out.storage = info.type->name;
  out.shape = info.shape;
  out.bytes = static_cast<std::int64_t>(info.bytes.size());
  if (const auto type = gguf::tensor_type_of(*info.type, info.shape)) {
    auto constant = std::make_shared<Constant>();
    constant->name = info.name;
    constant->data = Tensor::view(*type, info.bytes, file.owner);
    constant->file = file.mapping;
    out.constant = std::move(constant);
  }
  return out;
}

Status build_graph(Model& model, const OpSet& ops, const LoadOptions& options) {
  const Architecture* architecture = find_architecture(model.architecture);
  if (architecture == nullptr) {
    model.no_function_reason =
        model.architecture.empty()
            ? "the file names no architecture"
            : "architecture '" + printable(model.architecture) + "' is not known here";
    return Status::success();
  }
  if (model.weights.empty()) {
    model.no_function_reason = "the file holds a vocabulary and no tensors";
    return Status::success();
  }
  const GgufInput input(model, model.architecture, ops, options.arch);
  auto built = architecture->build(input);
  if (!built && built.error().code() == ErrorCode::kUnsupported) {
    // The file is sound and can be looked at, only not run.
    model.no_function_reason = built.error().message();
    return Status::success();
  }
  if (!built) return built.error();
  if (const std::string left = input.left_over(); !left.empty()) {
    model.no_function_reason = "[" + model.architecture + "] " + left;
    return Status::success();
  }
  add_built(model, built.take());
  return Status::success();
}

/// A file whose tokenizer is not to be had can be looked at, and run on ids.
void set_tokenizer(Model& model) {
  auto settings = gguf::read_tokenizer(model.metadata);
  if (settings) {
    model.tokenizer = std::make_shared<const TokenizerSettings>(settings.take());
  } else {
    model.no_tokenizer = settings.error();
  }
}

Status add_weights(Model& model, const gguf::GgufPart& part) {
  for (const TensorInfo& info : part.gguf.tensors) {
    model.weights.push_back(make_weight(info, part.file));
    // Parts may be one file under several names, so the sum is bounded by no file.
    const auto sum = checked_add(model.parameter_count, info.shape.elements());
    if (!sum) return Error::invalid("[gguf] the tensors' element counts do not add up");
    model.parameter_count = *sum;
  }
  return Status::success();
}

Result<Model> load(Source& source, const OpSet& ops, const LoadOptions& options) {
  auto parts = gguf::read_parts(source);
  if (!parts) return parts.error();
  Model model;
  gguf::GgufFile& first = parts->front().gguf;
  model.metadata = std::move(first.metadata);
  model.metadata.emplace("gguf.version", static_cast<std::int64_t>(first.version));
  for (const gguf::GgufPart& part : *parts) {
    model.file_bytes += static_cast<std::int64_t>(part.file.bytes.size());
    if (Status status = add_weights(model, part); !status) return status.error();
  }
  const auto name = model.metadata.find("general.architecture");
  if (name != model.metadata.end()) {
    const auto* text = std::get_if<std::string>(&name->second);
    if (text == nullptr) return Error::invalid("[gguf] general.architecture, wanted a text");
    model.architecture = *text;
  }
  set_tokenizer(model);
  if (Status status = build_graph(model, ops, options); !status) return status.error();
  return model;
}

}  // namespace

extern constinit const Loader loader_gguf{
    .name = "gguf",
    .detect = [](const Source& source) { return gguf::is_gguf(source.main().bytes); },
    .load = load,
};

}  // namespace polaris
