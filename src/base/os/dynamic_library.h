#pragma once
#include <string>

#include "base/result.h"

namespace polaris {

/// A shared library opened at run time; closed by the destructor.
class DynamicLibrary {
 public:
  /// Errors: not_found, with the system's reason.
  static Result<DynamicLibrary> open(const std::string& path);
  DynamicLibrary(DynamicLibrary&& other) noexcept;
  DynamicLibrary& operator=(DynamicLibrary&& other) noexcept;
  ~DynamicLibrary();

  /// Address of an exported symbol, or null.
  void* symbol(const char* name) const;
  template <class F>
  F* function(const char* name) const {
    return reinterpret_cast<F*>(symbol(name));
  }

 private:
  explicit DynamicLibrary(void* handle) : handle_(handle) {}
  void* handle_ = nullptr;
};

}  // namespace polaris
