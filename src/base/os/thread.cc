#include "base/os/thread.h"

#include <system_error>
#include <utility>

namespace polaris {

Thread& Thread::operator=(Thread&& other) noexcept {
  join();
  thread_ = std::move(other.thread_);
  return *this;
}

Result<Thread> Thread::start(std::function<void()> body) {
  try {
    return Thread(std::thread(std::move(body)));
  } catch (const std::system_error& error) {
    return Error::exhausted("[thread] start, got '" + std::string(error.code().message()) +
                            "' from the system");
  }
}

void Thread::join() {
  if (thread_.joinable()) thread_.join();
}

}  // namespace polaris
