#include "gcn/fault.h"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace polaris::gcn {

const char* fault_name(FaultKind kind) {
  switch (kind) {
    case FaultKind::kOutOfBounds: return "out-of-bounds";
    case FaultKind::kUnwrittenRegister: return "unwritten-register";
    case FaultKind::kUnwrittenLds: return "unwritten-lds";
    case FaultKind::kLdsRace: return "lds-race";
    case FaultKind::kLdsBounds: return "lds-bounds";
    case FaultKind::kMissingWait: return "missing-wait";
    case FaultKind::kBarrierDivergence: return "barrier-divergence";
    case FaultKind::kUnsupported: return "unsupported";
    case FaultKind::kTooLong: return "too-long";
  }
  return "";
}

void Faults::add(Fault fault) {
  stopped_ = stopped_ || fault.kind == FaultKind::kUnsupported || fault.kind == FaultKind::kTooLong;
  const auto same = std::find_if(all_.begin(), all_.end(), [&](const Fault& f) {
    return f.kind == fault.kind && f.address == fault.address;
  });
  if (same != all_.end()) {
    ++same->count;
    return;
  }
  fault.count = 1;
  all_.push_back(std::move(fault));
}

bool Faults::has(FaultKind kind) const {
  return std::any_of(all_.begin(), all_.end(), [&](const Fault& f) { return f.kind == kind; });
}

std::string Faults::text() const {
  std::string out;
  for (const Fault& f : all_) {
    char head[160];
    std::snprintf(head, sizeof head,
                  "%s at 0x%x, workgroup %u %u %u wave %u, %lld times: ", fault_name(f.kind),
                  f.address, f.workgroup[0], f.workgroup[1], f.workgroup[2], f.wave,
                  static_cast<long long>(f.count));
    out += head + f.text + "\n";
  }
  return out;
}

}  // namespace polaris::gcn
