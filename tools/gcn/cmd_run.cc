#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>

#include "gcn/commands.h"
#include "gcn/disassemble.h"
#include "gcn/machine.h"
#include "radv/variants.h"
#include "sim/compile.h"

namespace polaris::gcn {
namespace {

struct Options {
  std::string file;
  radv::Variant variant;
  Launch launch;
  std::vector<std::vector<std::byte>> buffers;
  std::vector<std::string> dropped;  // opcodes to leave out
  bool code = false;                 // list the program
  int print = -1;                    // the buffer whose words are printed
};

std::vector<std::uint32_t> numbers(const std::string& text) {
  std::vector<std::uint32_t> out;
  const char* at = text.c_str();
  while (*at != '\0') {
    char* end = nullptr;
    out.push_back(static_cast<std::uint32_t>(std::strtoull(at, &end, 0)));
    if (end == at) return {};
    at = *end == ',' ? end + 1 : end;
  }
  return out;
}

/// A buffer of that many bytes, word i holding i, or a file's bytes.
std::vector<std::byte> make_buffer(const std::string& text) {
  const std::size_t bytes = std::strtoul(text.c_str(), nullptr, 10);
  if (bytes > 0) {
    std::vector<std::byte> out(bytes);
    for (std::uint32_t i = 0; i + 4 <= bytes; i += 4) {
      const std::uint32_t word = i / 4;
      std::memcpy(out.data() + i, &word, 4);
    }
    return out;
  }
  std::ifstream file(text, std::ios::binary | std::ios::ate);
  std::vector<std::byte> out(file ? static_cast<std::size_t>(file.tellg()) : 0);
  file.seekg(0);
  file.read(reinterpret_cast<char*>(out.data()), static_cast<std::streamsize>(out.size()));
  return out;
}

bool parse(const std::vector<std::string>& args, Options& out) {
  for (std::size_t i = 0; i < args.size(); ++i) {
    const std::string& arg = args[i];
    if (arg == "--code") {
      out.code = true;
      continue;
    }
    if (!arg.starts_with("--")) {
      if (!out.file.empty()) return false;
      out.file = arg;
      continue;
    }
    if (++i == args.size()) return false;
    const std::string& value = args[i];
    const std::vector<std::uint32_t> list = numbers(value);
    if (arg == "--drop") {
      out.dropped.push_back(value);
    } else if (arg == "--push") {
      out.launch.push = list;
    } else if (arg == "--grid" && list.size() == 3) {
      out.launch.grid = {list[0], list[1], list[2]};
    } else if (arg == "--constants") {
      for (std::uint32_t id = 0; id < list.size(); ++id) {
        out.variant.specialization.emplace_back(id, list[id]);
      }
    } else if (arg == "--buffer") {
      out.buffers.push_back(make_buffer(value));
      if (out.buffers.back().empty()) return false;
    } else if (arg == "--instructions" && list.size() == 1) {
      out.launch.instructions_max = list[0];
    } else if (arg == "--print" && list.size() == 1) {
      out.print = static_cast<int>(list[0]);
    } else {
      return false;
    }
  }
  return !out.file.empty();
}

/// The program with every word of the instructions of that name an s_nop.
std::string without(const std::string& assembly, const std::string& opcode) {
  std::string out;
  for (std::size_t at = 0; at < assembly.size();) {
    const std::size_t end = std::min(assembly.find('\n', at), assembly.size() - 1) + 1;
    std::string line = assembly.substr(at, end - at);
    at = end;
    const std::size_t name = line.find_first_not_of(" \t");
    const std::size_t mark = line.find(';');
    const bool dropped = mark != std::string::npos &&
                         line.compare(name, opcode.size(), opcode) == 0 &&
                         line.find_first_of(" \t;", name) == name + opcode.size();
    if (dropped) {
      const bool two = line.find_first_not_of(" \t", line.find(' ', mark + 2)) != std::string::npos;
      line.replace(mark, std::string::npos, two ? "; bf800000 bf800000\n" : "; bf800000\n");
    }
    out += line;
  }
  return out;
}

void print_words(const std::vector<std::byte>& bytes) {
  for (std::size_t i = 0; i + 4 <= bytes.size(); i += 4) {
    std::uint32_t word = 0;
    std::memcpy(&word, bytes.data() + i, 4);
    std::printf("%s%08x", i % 32 == 0 ? (i == 0 ? "" : "\n") : " ", word);
  }
  std::printf("\n");
}

}  // namespace

int command_run(const std::vector<std::string>& args) {
  Options options;
  if (!parse(args, options)) return kWrongUsage;
  std::string error;
  const auto device = radv::NullDevice::open(radv::kDefaultIcd, error);
  const std::vector<std::uint32_t> words = radv::read_words(options.file);
  if (!error.empty()) {
    std::fprintf(stderr, "gcn: %s\n", error.c_str());
    return 1;
  }
  options.variant.file = options.file;
  options.variant.bindings = static_cast<std::uint32_t>(options.buffers.size());
  options.variant.push_constant_bytes = static_cast<std::uint32_t>(options.launch.push.size() * 4);
  radv::Compiled compiled = device->compile(options.variant, words);
  for (const std::string& opcode : options.dropped) {
    compiled.assembly = without(compiled.assembly, opcode);
  }
  const Result<Program> program = program_of(options.file, compiled);
  if (!program) {
    std::fprintf(stderr, "gcn: %s\n", program.error().message().c_str());
    return 1;
  }
  if (options.code) {
    for (const Instruction& in : program->code) {
      std::printf("%6x  %s\n", in.address, disassemble(in).c_str());
    }
  }
  Memory memory;
  for (std::vector<std::byte>& buffer : options.buffers) {
    options.launch.bindings.push_back(
        {memory.map(buffer), static_cast<std::uint32_t>(buffer.size())});
  }
  const std::clock_t start = std::clock();
  Machine machine(*program, memory, options.launch);
  machine.run();
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  const RunReport& report = machine.report();
  std::fputs(report.faults.text().c_str(), stdout);
  if (options.print >= 0 && static_cast<std::size_t>(options.print) < options.buffers.size()) {
    print_words(options.buffers[static_cast<std::size_t>(options.print)]);
  }
  std::printf(
      "%lld wave instructions, %lld of vectors; %.0f million lane instructions a second of a "
      "core\n",
      static_cast<long long>(report.instructions),
      static_cast<long long>(report.vector_instructions),
      static_cast<double>(report.vector_instructions) * kLanes / 1e6 / std::max(seconds, 1e-6));
  return report.faults.all().empty() ? 0 : 1;
}

}  // namespace polaris::gcn
