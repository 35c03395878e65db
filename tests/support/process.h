#pragma once
#include <string>
#include <vector>

namespace polaris::test {

struct ProcessResult {
  int exit_code = -1;  // -1: it was killed by a signal
  std::string out;
  std::string err;
};

struct ProcessOptions {
  /// What standard input holds, up to 60,000 bytes; empty: it is /dev/null.
  std::string input;
  /// SIGINT is sent once stdout holds this many bytes; 0: never.
  std::size_t interrupt_after_bytes = 0;
  int timeout_s = 120;  // then it is killed
};

/// Runs a program and waits for it. Fails the test where it cannot be started or ran out of time.
ProcessResult run_process(const std::vector<std::string>& arguments,
                          const ProcessOptions& options = {});
/// The command line as built, with these arguments.
ProcessResult run_polaris(std::vector<std::string> arguments, const ProcessOptions& options = {});

/// Folder of this test's own, removed with the object.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace polaris::test
