#include <bit>
#include <cstring>

#include "load/hf/weight_files.h"
#include "load/loader.h"

namespace polaris {
namespace {

static_assert(std::endian::native == std::endian::little);

std::string_view text_of(const Source& source) {
  const auto bytes = source.main().bytes;
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// A header's length, and a header of JSON that long.
bool is_safetensors(std::string_view file) {
  std::uint64_t length = 0;
  if (file.size() < sizeof length + 2) return false;
  std::memcpy(&length, file.data(), sizeof length);
  return length >= 2 && length <= file.size() - sizeof length && file[sizeof length] == '{';
}

bool detect(const Source& source) {
  return is_safetensors(text_of(source)) || hf::is_index(text_of(source));
}

Result<Model> load(Source& source, const OpSet& /*ops*/, const LoadOptions& /*options*/) {
  auto weights = is_safetensors(text_of(source)) ? hf::read_safetensors(source.main())
                                                 : hf::read_sharded(source, source.main());
  if (!weights) return weights.error();
  Model model;
  if (auto status = hf::add_weights(model, weights.take()); !status) return status.error();
  model.no_function_reason =
      "the file holds tensors alone, wanted the folder that it is of, with its config.json";
  return model;
}

}  // namespace

extern constinit const Loader loader_safetensors{
    .name = "safetensors",
    .detect = detect,
    .load = load,
};

}  // namespace polaris
