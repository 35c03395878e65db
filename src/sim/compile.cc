#include "sim/compile.h"

#include <cstdio>
#include <map>

namespace polaris::gcn {
namespace {

std::int64_t statistic(const radv::Compiled& compiled, const std::string& name) {
  const auto found = compiled.statistics.find(name);
  return found == compiled.statistics.end() ? 0 : found->second;
}

std::string trim(const std::string& text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

Result<Program> program_of(const std::string& name, const radv::Compiled& compiled) {
  if (!compiled.error.empty()) return Error::unsupported("[radv] " + name + ": " + compiled.error);
  if (statistic(compiled, "Scratch size") != 0) {
    return Error::unsupported("[gcn] program '" + name + "' uses scratch memory");
  }
  DriverText text;
  text.assembly = compiled.assembly;
  text.nir = compiled.nir;
  text.ir = compiled.ir;
  text.vgprs = static_cast<int>(statistic(compiled, "VGPRs"));
  text.sgprs = static_cast<int>(statistic(compiled, "SGPRs"));
  text.lds_bytes = static_cast<std::uint32_t>(statistic(compiled, "LDS size"));
  return make_program(name, text);
}

std::vector<std::string> driver_lines(const std::string& assembly) {
  struct Line {
    std::string text;
    std::string label;  // of a branch
  };
  std::vector<Line> lines;
  std::map<std::string, std::uint32_t> labels;
  std::uint32_t address = 0;
  std::size_t at = 0;
  while (at < assembly.size()) {
    const std::size_t end = std::min(assembly.find('\n', at), assembly.size());
    const std::string line = assembly.substr(at, end - at);
    at = end + 1;
    const std::size_t mark = line.find(';');
    const std::string text = trim(line.substr(0, mark));
    if (mark == std::string::npos) {
      if (text.starts_with("BB") && text.ends_with(":")) {
        labels[text.substr(0, text.size() - 1)] = address;
      }
      continue;
    }
    Line next{text, ""};
    if (const std::size_t label = text.rfind(" BB"); label != std::string::npos) {
      next.label = text.substr(label + 1);
      next.text = text.substr(0, label + 1);
    }
    lines.push_back(next);
    const std::string code = trim(line.substr(mark + 1));
    address += code.find(' ') == std::string::npos ? 4 : 8;
  }
  std::vector<std::string> out;
  for (Line& line : lines) {
    if (!line.label.empty()) {
      char target[24];
      std::snprintf(target, sizeof target, "0x%x", labels[line.label]);
      line.text += target;
    }
    out.push_back(std::move(line.text));
  }
  return out;
}

}  // namespace polaris::gcn
