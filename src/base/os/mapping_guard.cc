#include "base/os/mapping_guard.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <string>
#include <utility>

namespace polaris {
namespace {

// A slot is free while `end` is 0; `begin` of 1 marks one that is being filled.
struct Slot {
  std::atomic<std::uintptr_t> begin;
  std::atomic<std::uintptr_t> end;
  std::atomic<bool> damaged;
  std::atomic<std::uint64_t> device;
  std::atomic<std::uint64_t> inode;
};

// A signal handler can reach nothing but statics; the functions below are their only users.
struct GuardState {
  Slot slots[kGuardsMax];
  std::atomic<int> used;  // slots below this one have been in use
  std::uintptr_t page_bytes;
  struct sigaction before;
};
constinit GuardState g_guards{};

static_assert(std::atomic<std::uintptr_t>::is_always_lock_free &&
              std::atomic<bool>::is_always_lock_free);

// Everything from the page on is past the file's new end too: one mapping of zeros covers it.
bool cover(Slot& slot, std::uintptr_t address) {
  const std::uintptr_t end = slot.end.load();
  if (end == 0 || address < slot.begin.load() || address >= end) return false;
  const std::uintptr_t page = address & ~(g_guards.page_bytes - 1);
  void* zeros = ::mmap(reinterpret_cast<void*>(page), end - page, PROT_READ,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  if (zeros == MAP_FAILED) return false;
  slot.damaged.store(true);
  return true;
}

void pass_on(int number, siginfo_t* info, void* context) {
  const struct sigaction& before = g_guards.before;
  if ((before.sa_flags & SA_SIGINFO) != 0) {
    before.sa_sigaction(number, info, context);
  } else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN) {
    before.sa_handler(number);
  } else {
    ::signal(number, SIG_DFL);  // the access is tried again, and ends the process
  }
}

void on_bus_error(int number, siginfo_t* info, void* context) {
  const int code = errno;
  const auto address = reinterpret_cast<std::uintptr_t>(info->si_addr);
  const int used = g_guards.used.load();
  bool covered = false;
  for (int i = 0; i < used && !covered; ++i) covered = cover(g_guards.slots[i], address);
  if (!covered) pass_on(number, info, context);
  errno = code;
}

bool install() {
  g_guards.page_bytes = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  struct sigaction action {};
  action.sa_sigaction = on_bus_error;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  return ::sigaction(SIGBUS, &action, &g_guards.before) == 0;
}

int take_slot() {
  for (int i = 0; i < kGuardsMax; ++i) {
    std::uintptr_t free = 0;
    if (!g_guards.slots[i].begin.compare_exchange_strong(free, 1)) continue;
    int used = g_guards.used.load();
    while (used <= i && !g_guards.used.compare_exchange_weak(used, i + 1)) {
    }
    return i;
  }
  return -1;
}

Slot* slot_of(std::span<const std::byte> mapping) {
  if (mapping.empty()) return nullptr;
  const auto address = reinterpret_cast<std::uintptr_t>(mapping.data());
  const int used = g_guards.used.load();
  for (int i = 0; i < used; ++i) {
    if (g_guards.slots[i].begin.load() == address) return &g_guards.slots[i];
  }
  return nullptr;
}

}  // namespace

void guard_mapping(std::span<const std::byte> mapping, const FileIdentity& identity) {
  static const bool installed = install();
  if (!installed || mapping.empty()) return;
  const int free = take_slot();
  if (free < 0) return;
  Slot& slot = g_guards.slots[free];
  const std::uintptr_t page = g_guards.page_bytes;
  const auto address = reinterpret_cast<std::uintptr_t>(mapping.data());
  slot.damaged.store(false);
  slot.device.store(identity.device);
  slot.inode.store(identity.inode);
  slot.begin.store(address);
  slot.end.store(address + (mapping.size() + page - 1) / page * page);
}

void unguard_mapping(std::span<const std::byte> mapping) {
  Slot* slot = slot_of(mapping);
  if (slot == nullptr) return;
  slot->end.store(0);
  slot->begin.store(0);
}

bool is_damaged(const MappedFile& file) {
  const Slot* slot = slot_of(file.bytes());
  return slot != nullptr && slot->damaged.load();
}

std::optional<FileIdentity> identity_of(const MappedFile& file) {
  const Slot* slot = slot_of(file.bytes());
  if (slot == nullptr) return std::nullopt;
  return FileIdentity{slot->device.load(), slot->inode.load()};
}

Status check_mapping(const MappedFile& file) {
  const std::string name = "[file] '" + file.path() + "' ";
  if (is_damaged(file)) {
    return Error::io(name + "was cut, or could not be read, while it was in use");
  }
  // What is gone of the last page reads as zeros with no signal. A file that was replaced is none
  // of our business: the old one is still mapped.
  struct stat info;
  if (::stat(file.path().c_str(), &info) != 0) return Status::success();
  const bool same = identity_of(file) == FileIdentity{info.st_dev, info.st_ino};
  if (!same || std::cmp_greater_equal(info.st_size, file.bytes().size())) return Status::success();
  return Error::io(name + "was cut while it was in use, got " + std::to_string(info.st_size) +
                   " bytes, wanted " + std::to_string(file.bytes().size()));
}

}  // namespace polaris
