#include "support/process.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>

#include "test_paths.h"

namespace polaris::test {
namespace {

struct Pipe {
  int ends[2] = {-1, -1};
  Pipe() { REQUIRE(pipe2(ends, O_CLOEXEC) == 0); }
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  void close_end(int end) {
    if (ends[end] >= 0) close(ends[end]);
    ends[end] = -1;
  }
};

pid_t start(const std::vector<std::string>& arguments, const std::string& input, Pipe& out,
            Pipe& err) {
  std::vector<char*> raw;
  for (const std::string& argument : arguments) raw.push_back(const_cast<char*>(argument.c_str()));
  raw.push_back(nullptr);
  // All of it fits into the pipe: nobody has to wait for the other.
  REQUIRE(input.size() <= 60000);
  Pipe in;
  REQUIRE(write(in.ends[1], input.data(), input.size()) == static_cast<ssize_t>(input.size()));
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    dup2(input.empty() ? open("/dev/null", O_RDONLY) : in.ends[0], 0);
    dup2(out.ends[1], 1);
    dup2(err.ends[1], 2);
    execv(raw[0], raw.data());
    _exit(127);
  }
  out.close_end(1);
  err.close_end(1);
  return child;
}

/// Adds what can be read; false at the end.
bool take(int file, std::string& to) {
  char bytes[4096];
  const ssize_t count = read(file, bytes, sizeof bytes);
  if (count > 0) to.append(bytes, static_cast<std::size_t>(count));
  return count > 0;
}

}  // namespace

ProcessResult run_process(const std::vector<std::string>& arguments,
                          const ProcessOptions& options) {
  using Clock = std::chrono::steady_clock;
  Pipe out;
  Pipe err;
  const pid_t child = start(arguments, options.input, out, err);
  ProcessResult result;
  const auto deadline = Clock::now() + std::chrono::seconds(options.timeout_s);
  bool interrupted = false;
  bool late = false;
  while (out.ends[0] >= 0 || err.ends[0] >= 0) {
    pollfd files[2] = {{out.ends[0], POLLIN, 0}, {err.ends[0], POLLIN, 0}};
    poll(files, 2, 200);
    if (files[0].revents != 0 && !take(out.ends[0], result.out)) out.close_end(0);
    if (files[1].revents != 0 && !take(err.ends[0], result.err)) err.close_end(0);
    if (options.interrupt_after_bytes > 0 && !interrupted &&
        result.out.size() >= options.interrupt_after_bytes) {
      kill(child, SIGINT);
      interrupted = true;
    }
    if (!late && Clock::now() > deadline) {
      kill(child, SIGKILL);
      late = true;
    }
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (late) FAIL("the process ran out of time: " << arguments[1]);
  if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
  return result;
}

ProcessResult run_polaris(std::vector<std::string> arguments, const ProcessOptions& options) {
  arguments.insert(arguments.begin(), std::string(kBuildDir) + "/polaris");
  return run_process(arguments, options);
}

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "polaris_test_XXXXXX").string();
  REQUIRE(mkdtemp(name.data()) != nullptr);
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace polaris::test
