#include <doctest/doctest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <string>
#include <vector>

#include "base/os/clock.h"
#include "base/os/cpu_features.h"
#include "base/os/dynamic_library.h"
#include "base/os/files.h"
#include "base/os/interrupt.h"
#include "base/os/mapped_file.h"
#include "base/os/mapping_guard.h"
#include "base/os/memory_info.h"
#include "base/os/output_file.h"
#include "support/skip.h"

namespace polaris {
namespace {

// A folder under /tmp that goes with the test.
class TempFolder {
 public:
  TempFolder() {
    char name[] = "/tmp/polaris_os_XXXXXX";
    if (::mkdtemp(name) != nullptr) path_ = name;
  }
  ~TempFolder() {
    const std::string command = "rm -rf '" + path_ + "'";
    if (::system(command.c_str()) != 0) MESSAGE("could not remove " << path_);
  }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

TEST_CASE("files are written whole, read with a bound and listed in order") {
  const TempFolder folder;
  REQUIRE(write_file(folder / "b.txt", "hello").ok());
  REQUIRE(write_file(folder / "b.txt", "hello again").ok());
  REQUIRE(make_folder(folder / "deep/er").ok());
  CHECK(make_folder(folder / "deep/er").ok());
  CHECK(*read_file(folder / "b.txt", 11) == "hello again");
  CHECK(read_file(folder / "b.txt", 10).error().code() == ErrorCode::kInvalid);
  CHECK(read_file(folder / "none", 10).error().code() == ErrorCode::kNotFound);
  CHECK(*list_folder(folder.path(), 10) == std::vector<std::string>{"b.txt", "deep"});
  CHECK(list_folder(folder.path(), 1).error().code() == ErrorCode::kInvalid);
  CHECK(write_file(folder / "no/such", "x").error().message().find("no/such") != std::string::npos);
  CHECK(path_kind(folder / "b.txt") == PathKind::kFile);
  CHECK(path_kind(folder / "deep") == PathKind::kFolder);
  CHECK(path_kind(folder / "none") == PathKind::kMissing);
}

TEST_CASE("a file that grows is seen when it is whole, and goes where it is given up") {
  const TempFolder folder;
  const std::string path = folder.path() + "/out";
  const auto text = [](std::string_view t) { return std::as_bytes(std::span(t.data(), t.size())); };
  REQUIRE(write_file(path, "old"));
  const auto before = identity_of(path);
  {
    auto file = OutputFile::create(path);
    REQUIRE(file.ok());
    REQUIRE(file->append(text("ne")).ok());
    OutputFile moved = file.take();
    REQUIRE(moved.append(text("w")).ok());
    CHECK(read_file(path, 10).take() == "old");
    CHECK(list_folder(folder.path(), 10)->size() == 2);
    REQUIRE(moved.commit().ok());
    CHECK(read_file(path, 10).take() == "new");
    CHECK(list_folder(folder.path(), 10)->size() == 1);
    auto given_up = OutputFile::create(path);
    REQUIRE(given_up.ok());
    REQUIRE(given_up->append(text("newer")).ok());
    *given_up = OutputFile::create(folder.path() + "/other").take();
    CHECK(list_folder(folder.path(), 10)->size() == 2);
  }
  CHECK(list_folder(folder.path(), 10)->size() == 1);
  CHECK(read_file(path, 10).take() == "new");
  REQUIRE(before);
  CHECK(identity_of(path) != before);
  CHECK(identity_of(path) == identity_of(**MappedFile::open(path)));
  CHECK(!identity_of(folder.path() + "/missing"));
  CHECK(OutputFile::create(folder.path() + "/no/out").error().code() == ErrorCode::kNotFound);
}

TEST_CASE("paths come apart") {
  CHECK(path_folder("/a/b.c") == "/a");
  CHECK(path_folder("/b") == "/");
  CHECK(path_folder("b") == ".");
  CHECK(path_name("/a/b.c") == "b.c");
}

TEST_CASE("a mapping shows the file and gives pages back") {
  const TempFolder folder;
  const std::string text(3 * 4096 + 17, 'q');
  REQUIRE(write_file(folder / "f", text).ok());
  auto file = MappedFile::open(folder / "f");
  REQUIRE(file.ok());
  const auto bytes = (*file)->bytes();
  REQUIRE(bytes.size() == text.size());
  const auto equal = [&] { return std::memcmp(bytes.data(), text.data(), text.size()) == 0; };
  CHECK(equal());
  (*file)->prefetch(5000, 100);
  (*file)->release_pages(1, 3 * 4096);
  (*file)->release_pages(bytes.subspan(4096));
  (*file)->release_pages(-5, INT64_MAX);
  (*file)->release_pages(1 << 20, 5);
  CHECK(equal());

  REQUIRE(write_file(folder / "empty", "").ok());
  CHECK((*MappedFile::open(folder / "empty"))->bytes().empty());
  const auto missing = MappedFile::open(folder / "missing");
  CHECK(missing.error().code() == ErrorCode::kNotFound);
  CHECK(missing.error().message().find("missing") != std::string::npos);
  CHECK(MappedFile::open(folder.path()).error().code() == ErrorCode::kInvalid);
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK(MappedFile::open(folder / "pipe").error().code() == ErrorCode::kInvalid);
}

TEST_CASE("the machine describes itself") {
  const CpuFeatures cpu = cpu_features();
#if defined(__x86_64__)
  CHECK(cpu.sse2);
  CHECK(cpu.avx2 == static_cast<bool>(__builtin_cpu_supports("avx2")));
  CHECK(cpu.fma == static_cast<bool>(__builtin_cpu_supports("fma")));
  CHECK(cpu.avx512f == static_cast<bool>(__builtin_cpu_supports("avx512f")));
  CHECK(cpu.avx512bw == static_cast<bool>(__builtin_cpu_supports("avx512bw")));
  CHECK(cpu.avx512_vnni == static_cast<bool>(__builtin_cpu_supports("avx512vnni")));
  CHECK(cpu.names().front() == "sse2");
#endif
  CHECK(usable_processors() >= 1);
  const HostMemory host = host_memory();
  CHECK(host.total_bytes > (std::int64_t{64} << 20));
  CHECK(host.available_bytes <= host.total_bytes);
  const ProcessMemory process = process_memory();
  CHECK(process.resident_bytes > 0);
  CHECK(process.peak_bytes >= process.resident_bytes);
  CHECK(unix_time_ms() > 1'600'000'000'000);
  const std::int64_t start = monotonic_ns();
  CHECK(monotonic_ns() >= start);
  CHECK(elapsed_ms(start) < 60'000.0);
}

TEST_CASE("the peak of memory can start anew") {
  constexpr std::size_t kBytes = std::size_t{64} << 20;
  {
    const std::string big(kBytes, 'x');
    CHECK(big[kBytes / 2] == 'x');
  }
  CHECK(process_memory().peak_bytes > static_cast<std::int64_t>(kBytes));
  if (!reset_peak_memory()) {
    test::skip("/proc/self/clear_refs cannot be written here");
    return;
  }
  const ProcessMemory now = process_memory();
  CHECK(now.peak_bytes <= now.resident_bytes + (std::int64_t{16} << 20));
}

TEST_CASE("a shared library is opened by name") {
  auto library = DynamicLibrary::open("libm.so.6");
  REQUIRE(library.ok());
  auto* cosine = library->function<double(double)>("cos");
  REQUIRE((cosine != nullptr));
  CHECK(cosine(0.0) == 1.0);
  CHECK(library->symbol("no_such_symbol_here") == nullptr);
  CHECK(DynamicLibrary::open("libno_such.so").error().code() == ErrorCode::kNotFound);
}

TEST_CASE("the first interrupt is noted and the old handler comes back") {
  static std::atomic<int> outer{0};
  struct sigaction action {};
  action.sa_handler = [](int) { ++outer; };
  struct sigaction saved {};
  REQUIRE(::sigaction(SIGINT, &action, &saved) == 0);
  std::atomic<bool> cancelled{false};
  {
    InterruptGuard guard([](void* flag) { static_cast<std::atomic<bool>*>(flag)->store(true); },
                         &cancelled);
    CHECK_FALSE(guard.interrupted());
    ::raise(SIGINT);
    CHECK(guard.interrupted());
    CHECK(guard.take());
    CHECK_FALSE(guard.interrupted());
    CHECK_FALSE(guard.terminated());
    ::raise(SIGTERM);  // after take() it is the first again
    CHECK(guard.interrupted());
    CHECK(guard.terminated());
    CHECK(cancelled);
  }
  CHECK(outer == 0);
  ::raise(SIGINT);
  CHECK(outer == 1);
  ::sigaction(SIGINT, &saved, nullptr);
}

}  // namespace
}  // namespace polaris
