#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "gcn/commands.h"
#include "gcn/timing_row.h"
#include "radv/variants.h"
#include "sim/compile.h"
#include "sim/launch_timer.h"

namespace polaris::gcn {
namespace {

using Json = nlohmann::json;

/// A recorded dispatch, and how often the same one came. Where its buffers lie makes no difference.
struct Recorded {
  Json line;
  std::int64_t count = 0;
};

std::string key_of(const Json& line) {
  Json key = line;
  key.erase("barrier");
  for (Json& buffer : key["buffers"]) buffer = buffer[2];
  return key.dump();
}

/// In the order in which they came first.
std::vector<Recorded> read(const std::filesystem::path& file) {
  std::vector<Recorded> out;
  std::map<std::string, std::size_t> seen;
  std::ifstream in(file);
  for (std::string text; std::getline(in, text);) {
    const Json line = Json::parse(text);
    const auto [found, fresh] = seen.emplace(key_of(line), out.size());
    if (fresh) out.push_back({line, 0});
    ++out[found->second].count;
  }
  return out;
}

radv::Variant variant_of(const Json& line) {
  radv::Variant out{.name = line.at("shader")};
  for (const Json& pair : line.at("constants")) out.specialization.emplace_back(pair[0], pair[1]);
  out.bindings = static_cast<std::uint32_t>(line.at("buffers").size());
  out.push_constant_bytes = static_cast<std::uint32_t>(line.at("push").size() * 4);
  return out;
}

/// What a dispatch reads and writes. A place that is shown twice is one here too, as long as the
/// longest that is shown of it.
class Buffers {
 public:
  explicit Buffers(const Json& line) {
    for (const Json& buffer : line.at("buffers")) {
      std::int64_t& bytes = bytes_[place(buffer)];
      bytes = std::max<std::int64_t>(bytes, buffer[2]);
    }
  }

  Launch launch(const Json& line, Memory& memory) {
    Launch out;
    for (std::size_t i = 0; i < 3; ++i) out.grid[i] = line.at("grid")[i];
    for (const Json& word : line.at("push")) out.push.push_back(word);
    for (const auto& [at, bytes] : bytes_) {
      std::vector<std::byte>& data = data_[at];
      data = filled(bytes);
      address_[at] = memory.map(data);
    }
    for (const Json& buffer : line.at("buffers")) {
      out.bindings.push_back({address_[place(buffer)], buffer[2]});
    }
    return out;
  }

 private:
  using Place = std::pair<std::uint64_t, std::uint64_t>;  // buffer and offset
  static Place place(const Json& buffer) { return {buffer[0], buffer[1]}; }
  std::map<Place, std::int64_t> bytes_;
  std::map<Place, std::vector<std::byte>> data_;
  std::map<Place, std::uint64_t> address_;
};

Status replay(radv::NullDevice& device, const std::filesystem::path& folder, const Recorded& one,
              const TimingOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  const radv::Variant variant = variant_of(one.line);
  Result<Program> program =
      program_of(variant.name, device.compile(variant, radv::read_words(folder / variant.name)));
  if (!program) return program.error();
  Memory memory;
  Buffers buffers(one.line);
  const Launch launch = buffers.launch(one.line, memory);
  const Timing timing = simulate(*program, memory, launch, options);
  if (timing.faults.stopped()) return Error::internal("[gcn] " + timing.faults.text());
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  print_timing({variant.name, one.line.at("constants").dump() + one.line.at("push").dump(),
                options.chip.name, took.count(), one.count},
               launch, *program, timing);
  return Status::success();
}

}  // namespace

int command_replay(const std::vector<std::string>& args) {
  const Result<TimingArgs> parsed = parse_timing(args);
  if (!parsed && parsed.error().message().empty()) return kWrongUsage;
  std::string error;
  const auto device = radv::NullDevice::open(radv::kDefaultIcd, error);
  if (!parsed) error = parsed.error().message();
  if (!error.empty()) {
    std::fprintf(stderr, "gcn: %s\n", error.c_str());
    return 1;
  }
  const std::filesystem::path folder = parsed->path;
  const std::vector<Recorded> all = read(folder / "dispatches.jsonl");
  int failed = all.empty() ? 1 : 0;
  if (all.empty()) std::fprintf(stderr, "gcn: no dispatch in %s\n", folder.c_str());
  for (const Recorded& one : all) {
    const Status done = replay(*device, folder, one, parsed->options);
    if (done) continue;
    std::fprintf(stderr, "gcn: %s: %s\n", one.line.dump().c_str(), done.error().message().c_str());
    ++failed;
  }
  return failed == 0 ? 0 : 1;
}

}  // namespace polaris::gcn
