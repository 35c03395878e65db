#include "workers.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

namespace polaris::audit {
namespace {

using radv::Compiled;
using radv::NullDevice;
using radv::Variant;
using Clock = std::chrono::steady_clock;

bool write_all(int to, const void* data, std::size_t size) {
  const char* from = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t n = write(to, from, size);
    if (n <= 0) return false;
    from += n;
    size -= static_cast<std::size_t>(n);
  }
  return true;
}

/// A worker's life: the index of a variant comes in, its row goes out as a line.
[[noreturn]] void serve(int in, int out, const std::vector<Variant>& variants,
                        const std::string& shaders, const std::string& icd) {
  const auto folder = std::filesystem::path(shaders).parent_path();
  std::string error;
  const std::unique_ptr<NullDevice> device = NullDevice::open(icd, error);
  std::size_t index = 0;
  while (read(in, &index, sizeof index) == sizeof index) {
    const std::vector<std::uint32_t> words = radv::read_words(folder / variants[index].file);
    Compiled compiled;
    compiled.error = error;
    if (device != nullptr) compiled = device->compile(variants[index], words);
    const std::string row = to_json(judge(variants[index], words, compiled)) + "\n";
    if (!write_all(out, row.data(), row.size())) break;
  }
  _exit(0);  // past the driver's exit handlers
}

class Worker {
 public:
  Worker(const std::vector<Variant>& variants, const std::string& shaders, const std::string& icd) {
    int in[2];
    int out[2];
    if (pipe(in) != 0 || pipe(out) != 0) fail("pipe");
    pid_ = fork();
    if (pid_ < 0) fail("fork");
    if (pid_ == 0) serve(in[0], out[1], variants, shaders, icd);
    close(in[0]);
    close(out[1]);
    in_ = in[1];
    out_ = out[0];
  }
  ~Worker() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    close(in_);
    close(out_);
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void begin(std::size_t index, Clock::time_point deadline) {
    index_ = index;
    deadline_ = deadline;
    alive_ = write_all(in_, &index, sizeof index);
  }
  std::size_t index() const { return index_; }
  Clock::time_point deadline() const { return deadline_; }
  bool alive() const { return alive_; }
  pollfd watched() const { return {.fd = out_, .events = POLLIN, .revents = 0}; }
  /// What the worker has sent is taken in; its line, once it is whole.
  std::optional<std::string> receive() {
    char buffer[4096];
    const ssize_t n = read(out_, buffer, sizeof buffer);
    alive_ = n > 0;
    if (alive_) text_.append(buffer, static_cast<std::size_t>(n));
    if (!text_.ends_with('\n')) return std::nullopt;
    return std::exchange(text_, {});
  }

 private:
  [[noreturn]] static void fail(const char* what) {
    std::perror(("audit: " + std::string(what)).c_str());
    _exit(1);
  }

  pid_t pid_ = 0;
  int in_ = -1;
  int out_ = -1;
  std::size_t index_ = 0;
  Clock::time_point deadline_;
  std::string text_;
  bool alive_ = true;
};

/// Waits for one of them to say something or to be late.
std::vector<pollfd> wait(const std::vector<std::unique_ptr<Worker>>& workers) {
  std::vector<pollfd> watched;
  Clock::time_point first = Clock::time_point::max();
  for (const auto& worker : workers) {
    watched.push_back(worker->watched());
    first = std::min(first, worker->deadline());
  }
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(first - Clock::now()).count();
  poll(watched.data(), watched.size(), static_cast<int>(std::max<std::int64_t>(left, 0)));
  return watched;
}

}  // namespace

std::vector<Row> judge_all(const std::vector<Variant>& variants, const std::string& shaders,
                           const std::string& icd, std::chrono::seconds limit) {
  signal(SIGPIPE, SIG_IGN);  // a dead worker is seen where it is written to
  std::vector<Row> rows(variants.size());
  std::vector<std::unique_ptr<Worker>> workers;
  std::size_t next = 0;
  const auto give = [&](Worker& worker) { worker.begin(next++, Clock::now() + limit); };
  const std::size_t count =
      std::min<std::size_t>(std::max(1u, std::thread::hardware_concurrency()), variants.size());
  while (workers.size() < count) {
    workers.push_back(std::make_unique<Worker>(variants, shaders, icd));
    give(*workers.back());
  }
  while (!workers.empty()) {
    const std::vector<pollfd> watched = wait(workers);
    for (std::size_t w = 0; w < workers.size(); ++w) {
      std::unique_ptr<Worker>& worker = workers[w];
      Row& row = rows[worker->index()];
      const bool late = Clock::now() > worker->deadline();
      std::optional<std::string> line;
      if (watched[w].revents != 0) line = worker->receive();
      if (line) {
        row = from_json(*line);
      } else if (late) {
        row = {.name = variants[worker->index()].name,
               .faults = {"took over " + std::to_string(limit.count()) + " s"}};
      } else if (!worker->alive()) {
        row = {.name = variants[worker->index()].name,
               .faults = {"the driver died while compiling it"}};
      } else {
        continue;
      }
      if (next == variants.size()) {
        worker.reset();
        continue;
      }
      if (!line) worker = std::make_unique<Worker>(variants, shaders, icd);
      give(*worker);
    }
    std::erase(workers, nullptr);
  }
  return rows;
}

}  // namespace polaris::audit
