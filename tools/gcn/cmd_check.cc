#include <cstdio>
#include <filesystem>

#include "gcn/commands.h"
#include "gcn/disassemble.h"
#include "radv/variants.h"
#include "sim/compile.h"

namespace polaris::gcn {
namespace {

/// The first line where decoder and driver differ, or "".
std::string differs(const Program& program, const std::string& assembly) {
  const std::vector<std::string> want = driver_lines(assembly);
  if (want.size() != program.code.size()) {
    return std::to_string(program.code.size()) + " instructions, the driver has " +
           std::to_string(want.size());
  }
  for (std::size_t i = 0; i < want.size(); ++i) {
    const std::string got = disassemble(program.code[i]);
    if (got != want[i]) return "'" + got + "', the driver says '" + want[i] + "'";
  }
  return "";
}

}  // namespace

int command_check(const std::vector<std::string>& args) {
  if (args.empty()) return kWrongUsage;
  std::string error;
  const auto device = radv::NullDevice::open(radv::kDefaultIcd, error);
  if (device == nullptr) {
    std::fprintf(stderr, "gcn: %s\n", error.c_str());
    return 1;
  }
  const std::size_t step = args.size() > 1 ? std::strtoul(args[1].c_str(), nullptr, 10) : 1;
  const auto folder = std::filesystem::path(args[0]).parent_path();
  const std::vector<radv::Variant> variants = radv::read_variants(args[0]);
  int bad = 0;
  std::size_t count = 0;
  std::size_t instructions = 0;
  for (std::size_t i = 0; i < variants.size(); i += std::max<std::size_t>(step, 1)) {
    const radv::Variant& variant = variants[i];
    const radv::Compiled compiled =
        device->compile(variant, radv::read_words(folder / variant.file));
    const Result<Program> program = program_of(variant.name, compiled);
    const std::string fault =
        program ? differs(*program, compiled.assembly) : program.error().message();
    ++count;
    if (program) instructions += program->code.size();
    if (fault.empty()) continue;
    std::fprintf(stderr, "gcn: %s: %s\n", variant.name.c_str(), fault.c_str());
    ++bad;
  }
  std::printf("%zu variants, %zu instructions decoded as Mesa %s disassembles them, %d not\n",
              count - static_cast<std::size_t>(bad), instructions, device->mesa().c_str(), bad);
  return bad == 0 && count > 0 ? 0 : 1;
}

}  // namespace polaris::gcn
