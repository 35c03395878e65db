#pragma once
#include "backend/backend.h"
#include "base/os/interrupt.h"

namespace polaris::cli {

/// While it lives, Ctrl-C cancels what runs with its token.
class CancelOnInterrupt {
 public:
  CancelOnInterrupt()
      : guard_([](void* token) { static_cast<CancelToken*>(token)->cancel(); }, &token_) {}
  const CancelToken* token() const { return &token_; }
  bool interrupted() const { return token_.cancelled(); }

 private:
  CancelToken token_;
  InterruptGuard guard_;
};

}  // namespace polaris::cli
