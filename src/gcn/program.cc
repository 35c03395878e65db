#include "gcn/program.h"

#include <algorithm>
#include <bit>
#include <map>
#include <set>
#include <utility>

#include "gcn/decode.h"

namespace polaris::gcn {
namespace {

constexpr int kUserScalars = 16;
constexpr int kPushBesidePointer = 8;  // words by value where others are read through the pointer

std::string_view next_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  return line;
}

bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }
std::uint32_t hex_digit(char c) {
  return static_cast<std::uint32_t>(c <= '9' ? c - '0' : c - 'a' + 10);
}

/// The unsigned decimal number at the front, which is cut off; -1 where there is none.
std::int64_t take_number(std::string_view& text) {
  std::int64_t value = -1;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9' && value < (1 << 24)) {
    value = std::max<std::int64_t>(value, 0) * 10 + (text.front() - '0');
    text.remove_prefix(1);
  }
  return value;
}

std::string_view after(std::string_view line, std::string_view mark) {
  const std::size_t at = line.find(mark);
  return at == std::string_view::npos ? std::string_view{} : line.substr(at + mark.size());
}

std::string_view word_at(std::string_view text) {
  std::size_t end = 0;
  while (end < text.size() &&
         (std::isalnum(static_cast<unsigned char>(text[end])) != 0 || text[end] == '_')) {
    ++end;
  }
  return text.substr(0, end);
}

/// What the driver's front end says that a program reads, which decides its arguments.
struct Uses {
  std::array<std::uint32_t, 3> local = {0, 0, 0};
  bool descriptors = false;
  bool push = false;
  bool push_by_index = false;  // at an offset that is no constant, or narrower than a word
  std::uint64_t push_mask = 0;
  bool grid = false;
  bool group_size = false;
  std::array<bool, 3> workgroup = {};
};

class NirReader {
 public:
  Uses read(std::string_view text) {
    const std::string_view all = text;
    while (!text.empty()) line(next_line(text));
    for (const std::string& name : workgroups_) components(all, name + ".", uses_.workgroup);
    return uses_;
  }

 private:
  void line(std::string_view text) {
    if (std::string_view size = after(text, "workgroup-size: "); !size.empty()) {
      for (std::uint32_t& n : uses_.local) {
        n = static_cast<std::uint32_t>(std::max<std::int64_t>(take_number(size), 0));
        size.remove_prefix(std::min<std::size_t>(2, size.size()));
      }
    }
    const std::size_t equals = text.find(" = ");
    if (equals == std::string_view::npos) return;
    const std::string_view left = text.substr(0, equals);
    const std::string name(left.substr(std::min(left.rfind("ssa_"), left.size())));
    if (std::string_view bits = after(text, "load_const (0x"); !bits.empty()) {
      std::uint64_t value = 0;
      while (!bits.empty() && is_hex(bits.front())) {
        value = value << 4 | hex_digit(bits.front());
        bits.remove_prefix(1);
      }
      constants_[name] = value;
    }
    const std::string_view intrinsic = word_at(after(text, "= intrinsic "));
    if (intrinsic == "load_scalar_arg_amd") uses_.descriptors = true;
    if (intrinsic == "load_num_workgroups") uses_.grid = true;
    if (intrinsic == "load_subgroup_id" || intrinsic == "load_num_subgroups" ||
        intrinsic == "load_local_invocation_index") {
      uses_.group_size = true;
    }
    if (intrinsic == "load_workgroup_id") workgroups_.push_back(name);
    if (intrinsic == "load_push_constant") push(text);
  }

  void push(std::string_view text) {
    uses_.push = true;
    std::string_view width = after(text, "vec");
    const std::int64_t count = take_number(width);
    width.remove_prefix(std::min(width.find_first_not_of(' '), width.size()));
    const std::int64_t bits = take_number(width);
    const std::string source(word_at(after(text, "load_push_constant (")));
    std::string_view base_text = after(text, "base=");
    const std::int64_t base = take_number(base_text);
    const auto constant = constants_.find(source);
    if (constant == constants_.end() || bits < 32 || base < 0 || count < 0 ||
        constant->second > 255) {
      uses_.push_by_index = true;
      return;
    }
    const std::int64_t first = (base + static_cast<std::int64_t>(constant->second)) / 4;
    for (std::int64_t i = first; i < first + count * (bits / 32) && i < 64; ++i) {
      uses_.push_mask |= std::uint64_t{1} << i;
    }
  }

  /// Which of x, y and z of a value are read.
  static void components(std::string_view text, const std::string& value,
                         std::array<bool, 3>& out) {
    for (std::string_view rest = after(text, value); !rest.empty(); rest = after(rest, value)) {
      for (const char c : word_at(rest)) {
        if (c >= 'x' && c <= 'z') out[static_cast<std::size_t>(c - 'x')] = true;
      }
    }
  }

  Uses uses_;
  std::map<std::string, std::uint64_t, std::less<>> constants_;
  std::vector<std::string> workgroups_;  // blocks may load it each for themselves
};

/// How many scalar registers hold arguments, from the compiler's own first instruction.
int argument_scalars(std::string_view ir) {
  const std::size_t at = ir.find("= p_startpgm");
  if (at == std::string_view::npos) return -1;
  std::string_view line = ir.substr(0, at);
  line = line.substr(line.rfind('\n') + 1);
  int last = -1;
  for (std::string_view rest = after(line, ":s["); !rest.empty(); rest = after(rest, ":s[")) {
    last = std::max(last, static_cast<int>(take_number(rest)));
    if (rest.starts_with("-")) {
      rest.remove_prefix(1);
      last = std::max(last, static_cast<int>(take_number(rest)));
    }
  }
  return last + 1;
}

Arguments place_arguments(const Uses& uses, int& used) {
  Arguments out;
  int next = 2;  // scratch
  int left =
      kUserScalars - 2 - (uses.grid ? 2 : 0) - (uses.push ? 1 : 0) - (uses.descriptors ? 1 : 0);
  if (uses.descriptors) out.descriptors = next++;
  out.push_mask = uses.push_mask;
  const int words = std::popcount(uses.push_mask);
  const bool all = words > 0 && words <= left + 1 && !uses.push_by_index;
  if (!all) {
    while (std::popcount(out.push_mask) > std::min(left, kPushBesidePointer)) {
      out.push_mask -= std::bit_floor(out.push_mask);
    }
  }
  if (uses.push && !all) out.push_pointer = next++;
  if (out.push_mask != 0) out.push_words = next;
  next += std::popcount(out.push_mask);
  if (uses.grid) {
    out.grid_pointer = next;
    next += 2;
  }
  for (std::size_t i = 0; i < 3; ++i) {
    if (uses.workgroup[i]) out.workgroup[i] = next++;
  }
  if (uses.group_size) out.group_size = next++;
  out.scratch_offset = next++;
  used = next;
  return out;
}

}  // namespace

Result<std::vector<std::uint32_t>> machine_words(std::string_view assembly) {
  std::vector<std::uint32_t> out;
  while (!assembly.empty()) {
    std::string_view line = next_line(assembly);
    const std::size_t mark = line.find(';');
    if (mark == std::string_view::npos) continue;
    line = line.substr(mark + 1);
    while (!line.empty()) {
      if (line.front() == ' ') {
        line.remove_prefix(1);
        continue;
      }
      const std::string_view word = line.substr(0, line.find(' '));
      if (word.size() != 8 || !std::all_of(word.begin(), word.end(), is_hex)) {
        return Error::invalid("[gcn] disassembly, got '" + std::string(word) +
                              "' where machine code stands, wanted 8 hexadecimal digits");
      }
      std::uint32_t value = 0;
      for (const char c : word) value = value << 4 | hex_digit(c);
      out.push_back(value);
      line.remove_prefix(word.size());
    }
  }
  if (out.empty()) return Error::invalid("[gcn] disassembly without machine code");
  return out;
}

Result<Program> make_program(std::string name, const DriverText& text) {
  Program out;
  out.name = std::move(name);
  Result<std::vector<std::uint32_t>> words = machine_words(text.assembly);
  if (!words) return words.error().with_context(out.name);
  out.words = words.take();
  Result<std::vector<Instruction>> code = decode(out.words);
  if (!code) return code.error().with_context(out.name);
  out.code = code.take();
  const Uses uses = NirReader().read(text.nir);
  int used = 0;
  out.arguments = place_arguments(uses, used);
  out.local = uses.local;
  out.lds_bytes = text.lds_bytes;
  out.vgprs = text.vgprs;
  out.sgprs = text.sgprs;
  if (uses.local[0] == 0 || uses.local[1] == 0 || uses.local[2] == 0) {
    return Error::invalid("[gcn] program '" + out.name + "', got no workgroup size");
  }
  if (const int got = argument_scalars(text.ir); got != used) {
    return Error::unsupported("[gcn] program '" + out.name + "', got " + std::to_string(got) +
                              " scalar registers of arguments, wanted " + std::to_string(used) +
                              ": not the conventions of Mesa 22.3");
  }
  return out;
}

}  // namespace polaris::gcn
