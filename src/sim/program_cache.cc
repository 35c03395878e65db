#include "sim/program_cache.h"

#include <utility>

#include "backend/vulkan/shader_blobs.h"
#include "base/hash.h"
#include "base/os/files.h"
#include "sim/compile.h"

namespace polaris::gcn {

namespace {

constexpr std::int64_t kFileBytesMax = 256 << 20;

std::string key_of(const radv::Variant& variant, std::span<const std::uint32_t> words) {
  Hasher hasher;
  hasher.add_text(variant.name);
  hasher.add(std::as_bytes(words));
  return hasher.finish().hex();
}

Result<ProgramFile> read_programs(const std::string& path) {
  auto text = read_file(path, kFileBytesMax);
  if (!text) return text.error();
  auto file = parse_programs(*text);
  if (!file) return file.error().with_context(path);
  return file;
}

}  // namespace

Result<std::unique_ptr<ProgramCache>> ProgramCache::open(const std::string& icd,
                                                         const std::string& file) {
  auto out = std::make_unique<ProgramCache>();
  std::string error;
  out->device_ = radv::NullDevice::open(icd, error);
  if (out->device_ != nullptr) return out;
  if (file.empty()) return Error::not_found("[radv] " + error);
  auto kept = read_programs(file);
  if (!kept) return kept.error();
  out->kept_ = kept.take();
  return out;
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
  const std::string key = key_of(variant, words);
  const auto kept = kept_.programs.find(key);
  if (kept != kept_.programs.end()) {
    kept->second.name = variant.name;
    return &kept->second;
  }
  if (device_ == nullptr) {
    return Error::not_found("[programs] no machine code of '" + variant.name +
                            "' there; compiling it needs Mesa's Vulkan driver for AMD (Debian: "
                            "mesa-vulkan-drivers)");
  }
  Result<Program> program =
      program_of(variant.name, device_->compile(variant, {words.begin(), words.end()}));
  if (!program) return program.error();
  return &programs_.emplace(variant.name, program.take()).first->second;
}

Status ProgramCache::save(const std::string& path) {
  if (device_ == nullptr) return Status::success();  // nothing was compiled
  ProgramFile file;
  auto before = read_programs(path);
  if (!before && before.error().code() != ErrorCode::kNotFound) return before.error();
  if (before && before->mesa == mesa()) file = before.take();
  file.mesa = mesa();
  for (const auto& [name, program] : programs_) {
    const std::string shader = name.substr(0, name.find_first_of(" /"));
    file.programs[key_of({.name = name}, vulkan::find_shader(shader))] = program;
  }
  return write_file(path, print_programs(file));
}

}  // namespace polaris::gcn
