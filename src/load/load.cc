#include "load/load.h"

#include "load/content.h"

namespace polaris {

#define POLARIS_LOADER(name) extern const Loader loader_##name;
#include "load/order.inc"
#undef POLARIS_LOADER

namespace {

constexpr const Loader* kLoaders[] = {
#define POLARIS_LOADER(name) &loader_##name,
#include "load/order.inc"
#undef POLARIS_LOADER
};

}  // namespace

std::vector<std::string_view> loader_names() {
  std::vector<std::string_view> out;
  for (const Loader* loader : kLoaders) out.push_back(loader->name);
  return out;
}

Result<Model> load_model(Source& source, const OpSet& ops, const LoadOptions& options) {
  for (const Loader* loader : kLoaders) {
    if (!loader->detect(source)) continue;
    auto model = loader->load(source, ops, options);
    // Whatever was read of a file that is cut meanwhile means nothing, error or not.
    if (auto status = source.check(); !status) return status.error();
    if (!model) return model.error().with_context("'" + source.path() + "'");
    // A loader infers types itself; what else a graph promises is checked here, once for all.
    auto status = join_states(*model);
    if (status) status = verify_model(*model, {.types = false});
    if (!status) return status.error().with_context("'" + source.path() + "'");
    model->format = loader->name;
    if (model->file_bytes == 0) {
      model->file_bytes = static_cast<std::int64_t>(source.main().bytes.size());
    }
    if (!model->no_function_reason.empty()) {
      options.log.info("'" + source.path() + "' has nothing to run: " + model->no_function_reason);
    }
    return model;
  }
  if (auto status = source.check(); !status) return status.error();
  std::string wanted;
  for (std::string_view name : loader_names()) {
    if (!wanted.empty()) wanted += ", ";
    wanted += name;
  }
  const std::string_view content = describe_content(source.main().bytes);
  return Error::unsupported("[load] '" + source.path() + "' " +
                            std::string(content.empty() ? "is of no format known here" : content) +
                            ", wanted one of: " + wanted);
}

Result<Model> load_model(const std::string& path, const OpSet& ops, const LoadOptions& options) {
  auto source = Source::open(path);
  if (!source) return source.error();
  return load_model(*source, ops, options);
}

Result<Graph> take_function(Model& model, const std::string& name) { return model.take(name); }

}  // namespace polaris
