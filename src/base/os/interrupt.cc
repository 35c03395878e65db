#include "base/os/interrupt.h"

#include <signal.h>

#include <atomic>

namespace polaris {
namespace {

// A signal handler can reach nothing but statics; InterruptGuard is their only user.
struct SignalState {
  std::atomic<bool> interrupted;
  std::atomic<bool> terminated;
  std::atomic<InterruptGuard::Handler> handler;
  std::atomic<void*> context;
  struct sigaction old_interrupt;
  struct sigaction old_terminate;
};
constinit SignalState g_signal{};

static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<void*>::is_always_lock_free);

void on_signal(int number) {
  if (number == SIGTERM) g_signal.terminated.store(true);
  if (g_signal.interrupted.exchange(true)) {
    ::signal(number, SIG_DFL);
    ::raise(number);
    return;
  }
  if (const auto handler = g_signal.handler.load()) handler(g_signal.context.load());
}

}  // namespace

InterruptGuard::InterruptGuard(Handler on_interrupt, void* context) {
  g_signal.interrupted.store(false);
  g_signal.terminated.store(false);
  g_signal.context.store(context);
  g_signal.handler.store(on_interrupt);
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  ::sigaction(SIGINT, &action, &g_signal.old_interrupt);
  ::sigaction(SIGTERM, &action, &g_signal.old_terminate);
}

InterruptGuard::~InterruptGuard() {
  ::sigaction(SIGINT, &g_signal.old_interrupt, nullptr);
  ::sigaction(SIGTERM, &g_signal.old_terminate, nullptr);
  g_signal.handler.store(nullptr);
}

bool InterruptGuard::interrupted() const { return g_signal.interrupted.load(); }
bool InterruptGuard::take() { return g_signal.interrupted.exchange(false); }
bool InterruptGuard::terminated() const { return g_signal.terminated.load(); }

}  // namespace polaris
