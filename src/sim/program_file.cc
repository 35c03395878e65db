#include "sim/program_file.h"

#include <array>
#include <charconv>
#include <cstdio>
#include <optional>
#include <utility>
#include <vector>

#include "base/strings.h"
#include "gcn/decode.h"

namespace polaris::gcn {
namespace {

constexpr std::string_view kHeader = "polaris programs 1 ";
constexpr std::size_t kWordsMax = 1 << 18;
constexpr int kWordDigits = 8;
constexpr std::int64_t kScalarsMax = 102;    // registers that arguments may stand in
constexpr std::int64_t kAllocatedMax = 128;  // that a wave may hold, the machine's own among them
constexpr std::int64_t kThreadsMax = 1024;

/// Every number of a program but its words, in the order in which a line has them.
std::vector<std::int64_t> numbers_of(const Program& p) {
  const Arguments& a = p.arguments;
  return {p.vgprs,        p.sgprs,        p.lds_bytes,      p.local[0],
          p.local[1],     p.local[2],     a.descriptors,    a.push_pointer,
          a.push_words,   a.grid_pointer, a.workgroup[0],   a.workgroup[1],
          a.workgroup[2], a.group_size,   a.scratch_offset, static_cast<std::int64_t>(a.push_mask)};
}
constexpr std::size_t kNumbers = 16;
constexpr std::size_t kFirstRegister = 6;  // of them, up to the mask

bool is_startable(const std::vector<std::int64_t>& n) {
  if (n[0] < 0 || n[0] > 256 || n[1] < 0 || n[1] > kAllocatedMax || n[2] < 0 || n[2] > 65536) {
    return false;
  }
  for (std::size_t i = 3; i < kFirstRegister; ++i) {
    if (n[i] < 1 || n[i] > kThreadsMax) return false;
  }
  if (n[3] * n[4] * n[5] > kThreadsMax) return false;
  for (std::size_t i = kFirstRegister; i + 1 < kNumbers; ++i) {
    if (n[i] < -1 || n[i] >= kScalarsMax) return false;
  }
  return true;
}

void set_numbers(Program& p, const std::vector<std::int64_t>& n) {
  p.vgprs = static_cast<int>(n[0]);
  p.sgprs = static_cast<int>(n[1]);
  p.lds_bytes = static_cast<std::uint32_t>(n[2]);
  for (std::size_t i = 0; i < 3; ++i) p.local[i] = static_cast<std::uint32_t>(n[3 + i]);
  Arguments& a = p.arguments;
  const std::array<int*, 9> registers = {&a.descriptors,  &a.push_pointer, &a.push_words,
                                         &a.grid_pointer, &a.workgroup[0], &a.workgroup[1],
                                         &a.workgroup[2], &a.group_size,   &a.scratch_offset};
  for (std::size_t i = 0; i < registers.size(); ++i) {
    *registers[i] = static_cast<int>(n[kFirstRegister + i]);
  }
  a.push_mask = static_cast<std::uint64_t>(n[kNumbers - 1]);
}

std::optional<std::vector<std::uint32_t>> words_of(std::string_view hex) {
  if (hex.empty() || hex.size() % kWordDigits != 0 || hex.size() / kWordDigits > kWordsMax) {
    return std::nullopt;
  }
  std::vector<std::uint32_t> out(hex.size() / kWordDigits);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const char* from = hex.data() + i * kWordDigits;
    const auto [end, error] = std::from_chars(from, from + kWordDigits, out[i], 16);
    if (error != std::errc() || end != from + kWordDigits) return std::nullopt;
  }
  return out;
}

Result<Program> program_of_line(std::string_view line) {
  const auto fields = split(line, ' ');
  if (fields.size() != kNumbers + 2 || fields[0].size() != 32) {
    return Error::invalid(std::to_string(fields.size()) + " fields, wanted " +
                          std::to_string(kNumbers + 2));
  }
  std::vector<std::int64_t> numbers;
  for (std::size_t i = 0; i < kNumbers; ++i) {
    const auto number = parse_i64(fields[i + 1]);
    if (!number) return Error::invalid("'" + printable(fields[i + 1], 24) + "', wanted a number");
    numbers.push_back(*number);
  }
  if (!is_startable(numbers)) return Error::invalid("registers or sizes that no card has");
  auto words = words_of(fields[kNumbers + 1]);
  if (!words) return Error::invalid("machine code, wanted words of 8 hexadecimal digits");
  Program out;
  set_numbers(out, numbers);
  auto code = decode(*words);
  if (!code) return code.error();
  out.words = std::move(*words);
  out.code = code.take();
  return out;
}

}  // namespace

std::string print_programs(const ProgramFile& file) {
  std::string out = std::string(kHeader) + file.mesa + '\n';
  for (const auto& [key, program] : file.programs) {
    out += key;
    for (const std::int64_t number : numbers_of(program)) out += ' ' + std::to_string(number);
    out += ' ';
    for (const std::uint32_t word : program.words) {
      char digits[kWordDigits + 1];
      std::snprintf(digits, sizeof digits, "%08x", word);
      out += digits;
    }
    out += '\n';
  }
  return out;
}

Result<ProgramFile> parse_programs(std::string_view text) {
  const auto lines = split(text, '\n');
  if (!lines.front().starts_with(kHeader)) {
    return Error::invalid("[programs] got '" + printable(lines.front(), 40) + "', wanted '" +
                          std::string(kHeader) + "MESA'");
  }
  if (lines.size() > kProgramsMax + 2) {
    return Error::invalid("[programs] lines, got " + std::to_string(lines.size()) +
                          ", wanted at most " + std::to_string(kProgramsMax));
  }
  ProgramFile out;
  out.mesa = printable(lines.front().substr(kHeader.size()), 40);
  for (std::size_t i = 1; i < lines.size(); ++i) {
    if (lines[i].empty() && i + 1 == lines.size()) break;
    auto program = program_of_line(lines[i]);
    if (!program) {
      return Error::invalid("[programs] line " + std::to_string(i + 1) + ", got " +
                            program.error().message());
    }
    out.programs.emplace(lines[i].substr(0, 32), program.take());
  }
  return out;
}

}  // namespace polaris::gcn
