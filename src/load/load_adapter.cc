#include "load/load_adapter.h"

#include <cmath>

#include "base/os/files.h"
#include "base/strings.h"
#include "load/content.h"
#include "load/gguf/gguf_adapter.h"
#include "load/gguf/gguf_file.h"
#include "load/peft/peft_adapter.h"
#include "load/source.h"

namespace polaris {
namespace {

constexpr const char* kConfig = "adapter_config.json";

Result<Adapter> read_adapter(Source& source, bool folder) {
  if (folder) return peft::read_peft_adapter(source);
  if (gguf::is_gguf(source.main().bytes)) return gguf::read_gguf_adapter(source);
  const std::string_view content = describe_content(source.main().bytes);
  return Error::unsupported("[lora] got a file that " +
                            std::string(content.empty() ? "is of no format known here" : content) +
                            ", wanted a GGUF adapter, or a folder with " + kConfig);
}

/// Without pairs, or with one that multiplies by no number, there is nothing to apply.
Status check(const Adapter& adapter) {
  if (adapter.pairs.empty()) {
    return Error::invalid("[lora] tensors, got none, wanted at least one pair of A and B");
  }
  for (const auto& [matrix, pair] : adapter.pairs) {
    if (std::isfinite(pair.scale)) continue;
    return Error::invalid("[lora] scale of '" + printable(matrix) + "', got " +
                          format_f64(pair.scale) + ", wanted a finite number");
  }
  return Status::success();
}

}  // namespace

Result<Adapter> load_adapter(const std::string& path, double scale) {
  const bool folder = path_kind(path) == PathKind::kFolder;
  auto source = Source::open(folder ? path + "/" + kConfig : path);
  if (!source) return source.error();
  auto adapter = read_adapter(*source, folder);
  // Whatever was read of a file that is cut meanwhile means nothing, error or not.
  if (auto status = source->check(); !status) return status.error();
  if (adapter) {
    adapter->file = path;
    for (auto& [matrix, pair] : adapter->pairs) pair.scale *= scale;
  }
  const Status status = adapter ? check(*adapter) : Status(adapter.error());
  if (!status) return status.error().with_context("'" + path + "'");
  return adapter;
}

}  // namespace polaris
