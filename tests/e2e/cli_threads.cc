// Threads that the system refuses make a smaller pool or an error, never an abort.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "support/process.h"
#include "support/skip.h"
#include "test_paths.h"

namespace polaris {
namespace {

using namespace test;

/// The command line with so much address space: each thread takes 8 MiB of it for its stack.
ProcessResult run_limited(const std::string& kib, const std::vector<std::string>& arguments) {
  std::vector<std::string> all = {"/bin/sh", "-c", "ulimit -v " + kib + "; exec \"$0\" \"$@\"",
                                  std::string(kBuildDir) + "/polaris"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return run_process(all);
}

TEST_CASE("a limit of address space gives fewer threads or an error, never an abort") {
  if (run_limited("400000", {"--help"}).exit_code != 0) {
    skip("a sanitizer needs more address space");
    return;
  }
  const std::string model = std::string(kSourceDir) + "/tests/data/onnx/qdq_cnn.onnx";
  bool ran = false;
  for (const char* kib : {"200000", "300000", "400000", "600000", "900000", "1500000"}) {
    CAPTURE(kib);
    const TemporaryFolder folder;
    const ProcessResult result = run_limited(kib, {"run", model, "--random-inputs", "--device",
                                                   "cpu", "--threads", "200", "-o", folder.path()});
    CAPTURE(result.err);
    CHECK((result.exit_code == 0 || result.exit_code == 1));
    if (result.exit_code == 1) CHECK(result.err.starts_with("polaris: error: "));
    ran = ran || result.exit_code == 0;
  }
  CHECK(ran);
}

}  // namespace
}  // namespace polaris
