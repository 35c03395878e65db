#include "sim/program_cache.h"

#include <utility>

#include "backend/vulkan/shader_blobs.h"
#include "sim/compile.h"

namespace polaris::gcn {

Result<std::unique_ptr<ProgramCache>> ProgramCache::open(const std::string& icd) {
  std::string error;
  auto device = radv::NullDevice::open(icd, error);
  if (device == nullptr) return Error::not_found("[radv] " + error);
  return std::unique_ptr<ProgramCache>(new ProgramCache(std::move(device)));
}

Result<const Program*> ProgramCache::get(const vulkan::Dispatch& dispatch) {
  std::string key(dispatch.shader);
  for (const std::uint32_t value : dispatch.constants) key += ' ' + std::to_string(value);
  key +=
      '/' + std::to_string(dispatch.operands.size()) + '/' + std::to_string(dispatch.push.size());
  if (const auto found = programs_.find(key); found != programs_.end()) return &found->second;
  const std::span<const std::uint32_t> words = vulkan::find_shader(dispatch.shader);
  if (words.empty())
    return Error::internal("[gcn] no shader '" + std::string(dispatch.shader) + "'");
  radv::Variant variant{.name = key};
  for (std::uint32_t i = 0; i < dispatch.constants.size(); ++i) {
    variant.specialization.emplace_back(i, dispatch.constants[i]);
  }
  variant.bindings = static_cast<std::uint32_t>(dispatch.operands.size());
  variant.push_constant_bytes = static_cast<std::uint32_t>(dispatch.push.size() * 4);
  Result<Program> program =
      program_of(key, device_->compile(variant, {words.begin(), words.end()}));
  if (!program) return program.error();
  return &programs_.emplace(std::move(key), program.take()).first->second;
}

}  // namespace polaris::gcn
