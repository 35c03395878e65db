#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace polaris {

enum class ErrorCode : std::uint8_t {
  kInvalid,      // the input (file, request, argument) is malformed or contradicts itself
  kUnsupported,  // well formed, but nothing here can run it
  kNotFound,     // a file, name or device that does not exist
  kIo,           // the operating system refused or failed
  kOutOfMemory,  // host or device allocation failed, or would not fit
  kExhausted,    // a bounded resource ran out: context, pages, queue
  kCancelled,    // stopped on request
  kDevice,       // a driver or device failed
  kInternal,     // a broken promise of our own code
};

/// Name of a code as it appears in logs and JSON, e.g. "invalid".
std::string_view error_code_name(ErrorCode code);

/// What went wrong. Messages read `[op or format] what, got X, wanted Y`.
class Error {
 public:
  Error(ErrorCode code, std::string message) : code_(code), message_(std::move(message)) {}
  static Error invalid(std::string m) { return {ErrorCode::kInvalid, std::move(m)}; }
  static Error unsupported(std::string m) { return {ErrorCode::kUnsupported, std::move(m)}; }
  static Error not_found(std::string m) { return {ErrorCode::kNotFound, std::move(m)}; }
  static Error io(std::string m) { return {ErrorCode::kIo, std::move(m)}; }
  static Error out_of_memory(std::string m) { return {ErrorCode::kOutOfMemory, std::move(m)}; }
  static Error exhausted(std::string m) { return {ErrorCode::kExhausted, std::move(m)}; }
  static Error cancelled(std::string m) { return {ErrorCode::kCancelled, std::move(m)}; }
  static Error device(std::string m) { return {ErrorCode::kDevice, std::move(m)}; }
  static Error internal(std::string m) { return {ErrorCode::kInternal, std::move(m)}; }

  ErrorCode code() const { return code_; }
  const std::string& message() const { return message_; }
  /// The same error with `context: ` put before its message.
  Error with_context(std::string_view context) const;

 private:
  ErrorCode code_;
  std::string message_;
};

}  // namespace polaris
