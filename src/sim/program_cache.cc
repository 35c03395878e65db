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

radv::Variant variant_of(const vulkan::Dispatch& dispatch) {
  radv::Variant out{.name = std::string(dispatch.shader)};
  for (std::uint32_t i = 0; i < dispatch.constants.size(); ++i) {
    out.name += ' ' + std::to_string(dispatch.constants[i]);
    out.specialization.emplace_back(i, dispatch.constants[i]);
  }
  out.bindings = static_cast<std::uint32_t>(dispatch.operands.size());
  out.push_constant_bytes = static_cast<std::uint32_t>(dispatch.push.size() * 4);
  out.name += '/' + std::to_string(out.bindings) + '/' + std::to_string(dispatch.push.size());
  return out;
}

Result<const Program*> ProgramCache::get(const vulkan::Dispatch& dispatch) {
  const radv::Variant variant = variant_of(dispatch);
  if (const auto found = programs_.find(variant.name); found != programs_.end()) {
    return &found->second;
  }
  const std::span<const std::uint32_t> words = vulkan::find_shader(dispatch.shader);
  if (words.empty())
    return Error::internal("[gcn] no shader '" + std::string(dispatch.shader) + "'");
  Result<Program> program =
      program_of(variant.name, device_->compile(variant, {words.begin(), words.end()}));
  if (!program) return program.error();
  return &programs_.emplace(variant.name, program.take()).first->second;
}

}  // namespace polaris::gcn
