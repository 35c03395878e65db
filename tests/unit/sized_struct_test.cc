// Structs of the C ABI grow at their end: every version of a caller meets every version of us.

#include "plugin/sized_struct.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "polaris/polaris_c.h"
#include "test_paths.h"

namespace polaris {
namespace {

// One struct through three versions of the library.
struct V1 {
  std::size_t size;
  const char* name;
  std::int32_t threads;  // four bytes of padding follow, which are garbage in callers
};
struct V2 {
  std::size_t size;
  const char* name;
  std::int32_t threads;
  std::int64_t budget;
};
struct V3 {
  std::size_t size;
  const char* name;
  std::int32_t threads;
  std::int64_t budget;
  double share;
};
constexpr std::size_t kV1 = offsetof(V1, threads) + sizeof(V1::threads);

/// What a caller of version `C` that fills `threads` (and `budget`) looks like to a library of `L`.
template <class C, class L>
Result<L> call(const C& filled, L defaults) {
  // In memory of exactly its size, so that a read beyond it is found by the sanitizer.
  std::vector<std::size_t> memory((sizeof(C) + sizeof(std::size_t) - 1) / sizeof(std::size_t));
  std::memset(memory.data(), 0xA5, memory.size() * sizeof(std::size_t));
  std::memcpy(memory.data(), &filled, sizeof(C));
  return copy_sized(reinterpret_cast<const L*>(memory.data()), kV1, "sample", defaults);
}

TEST_CASE("an older caller is served, and what it lacks keeps its default") {
  const V3 defaults{sizeof(V3), "default", 1, 77, 0.5};
  V1 v1{};
  v1.size = sizeof v1;
  v1.name = "old";
  v1.threads = 3;
  const auto from_v1 = call(v1, defaults);
  REQUIRE(from_v1.ok());
  CHECK(std::string(from_v1->name) == "old");
  CHECK(from_v1->threads == 3);
  CHECK(from_v1->budget == 77);
  CHECK(from_v1->share == 0.5);
  CHECK(from_v1->size == sizeof(V3));
  const auto from_v2 = call(V2{sizeof(V2), "mid", 4, 5}, defaults);
  REQUIRE(from_v2.ok());
  CHECK(from_v2->budget == 5);
  CHECK(from_v2->share == 0.5);
  // Counted without the padding at the end: the same version.
  v1.size = kV1;
  CHECK(call(v1, defaults).ok());
}

TEST_CASE("a newer caller is served while it asks for nothing that is not known here") {
  const V1 defaults{sizeof(V1), "default", 1};
  const auto quiet = call(V3{sizeof(V3), "new", 2, 0, 0.0}, defaults);
  REQUIRE(quiet.ok());
  CHECK(quiet->threads == 2);
  const auto budget = call(V2{sizeof(V2), "new", 2, 9}, defaults);
  CHECK(budget.error().code() == ErrorCode::kUnsupported);
  CHECK(call(V3{sizeof(V3), "new", 2, 0, 1.0}, defaults).error().code() == ErrorCode::kUnsupported);
}

TEST_CASE("a size that no version has is refused before anything else is read") {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kV1 - 1, kStructBytesMax + 1,
                                 std::size_t{1} << 40, ~std::size_t{0}}) {
    CAPTURE(size);
    V1 v1{};
    v1.size = size;
    CHECK(call(v1, V3{}).error().code() == ErrorCode::kInvalid);
  }
  CHECK(copy_sized<V1>(nullptr, kV1, "sample").error().code() == ErrorCode::kInvalid);
}

std::string read_header() {
  std::ifstream file(std::string(test::kSourceDir) + "/include/polaris/polaris_c.h");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST_CASE("every struct that callers fill is taken by its size") {
  // Who fills it, and the file that must take it through copy_sized.
  const std::map<std::string, std::string> known = {
      {"polaris_runtime_options", "capi/polaris_c.cc"},
      {"polaris_op", "plugin/plugin.cc"},
      {"polaris_host", ""},  // filled by us: plugins ask POLARIS_HOST_HAS
  };
  const std::string header = read_header();
  std::size_t found = 0;
  for (std::size_t at = header.find("{\n  size_t size;"); at != std::string::npos;
       at = header.find("{\n  size_t size;", at + 1)) {
    const std::size_t space = header.rfind(' ', at - 2);
    const std::string name = header.substr(space + 1, at - space - 2);
    CAPTURE(name);
    REQUIRE(known.contains(name));
    ++found;
    const std::string& file = known.at(name);
    if (file.empty()) continue;
    std::ifstream source(std::string(test::kSourceDir) + "/src/" + file);
    std::ostringstream text;
    text << source.rdbuf();
    CHECK(text.str().find("copy_sized(") != std::string::npos);
    CHECK(text.str().find("sizeof(" + name + "))") == std::string::npos);
  }
  CHECK(found == known.size());
}

TEST_CASE("runtime options of every size: served, or refused with a reason") {
  std::vector<std::size_t> words(2 * kStructBytesMax / sizeof(std::size_t));
  auto* options = reinterpret_cast<polaris_runtime_options*>(words.data());
  constexpr std::size_t kLeast =
      offsetof(polaris_runtime_options, threads) + sizeof(options->threads);
  for (std::size_t size = 0; size <= kStructBytesMax + 64; ++size) {
    CAPTURE(size);
    options->devices = "reference";
    options->threads = 1;
    options->size = size;
    const bool served = copy_sized(options, kLeast, "runtime options").ok();
    CHECK(served == (size >= kLeast && size <= kStructBytesMax));
  }
  for (const std::size_t size : {kLeast, sizeof *options, sizeof *options + 64}) {
    options->size = size;
    polaris_runtime* runtime = nullptr;
    polaris_error* error = polaris_runtime_create(options, &runtime);
    CHECK(error == nullptr);
    polaris_error_free(error);
    polaris_runtime_free(runtime);
  }
  words[sizeof *options / sizeof(std::size_t)] = 1;
  polaris_runtime* runtime = nullptr;
  polaris_error* error = polaris_runtime_create(options, &runtime);
  REQUIRE(error != nullptr);
  CHECK(polaris_error_code(error) == POLARIS_UNSUPPORTED);
  polaris_error_free(error);
}

}  // namespace
}  // namespace polaris
