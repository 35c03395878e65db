#include "wire/flatbuffer.h"

#include <utility>

namespace polaris {
namespace {

// Writers share equal strings and vtables, so a little more than the file may be read in all.
constexpr std::size_t kReadings = 16;
constexpr std::size_t kReadingsBase = std::size_t{1} << 20;

constexpr std::size_t kOffset = sizeof(std::uint32_t);

}  // namespace

FlatBuffer::FlatBuffer(std::span<const std::byte> bytes)
    : bytes_(bytes), left_(bytes.size() * kReadings + kReadingsBase) {}

void FlatBuffer::fail(std::string what) {
  if (status_) status_ = Error::invalid(std::move(what));
}

bool FlatBuffer::holds(std::size_t at, std::size_t size, std::string_view what) {
  if (!status_) return false;
  if (at <= bytes_.size() && size <= bytes_.size() - at) return true;
  fail(std::string(what) + " of " + std::to_string(size) + " bytes at " + std::to_string(at) +
       " leads past the end, " + std::to_string(bytes_.size()));
  return false;
}

bool FlatBuffer::take(std::size_t bytes) {
  if (bytes <= left_) {
    left_ -= bytes;
    return true;
  }
  left_ = 0;
  if (status_)
    status_ = Error::exhausted("its tables share parts that come to many times the file");
  return false;
}

std::size_t FlatBuffer::follow(std::size_t at, std::string_view what) {
  if (!holds(at, kOffset, what)) return 0;
  const std::size_t offset = load<std::uint32_t>(at);
  if (offset >= kOffset && offset <= bytes_.size() - at) return at + offset;
  fail("the offset of " + std::string(what) + " at " + std::to_string(at) + ", got " +
       std::to_string(offset) + ", wanted " + std::to_string(kOffset) + " to " +
       std::to_string(bytes_.size() - at));
  return 0;
}

FlatTable FlatBuffer::root() {
  const std::size_t at = follow(0, "the root table");
  return at != 0 ? FlatTable::open(*this, at, 0) : FlatTable();
}

FlatTable FlatTable::open(FlatBuffer& buffer, std::size_t at, int depth) {
  if (depth > kFlatDepthMax) {
    buffer.fail("tables nested deeper than " + std::to_string(kFlatDepthMax));
    return {};
  }
  if (!buffer.holds(at, sizeof(std::int32_t), "a table")) return {};
  const auto back = std::int64_t{buffer.load<std::int32_t>(at)};
  const std::int64_t vtable = static_cast<std::int64_t>(at) - back;
  if (vtable < 0) {
    buffer.fail("the vtable of the table at " + std::to_string(at) + " leads before the start");
    return {};
  }
  FlatTable out(&buffer, at, depth);
  const auto from = static_cast<std::size_t>(vtable);
  constexpr std::size_t kHead = 2 * sizeof(std::uint16_t);
  if (!buffer.holds(from, kHead, "a vtable")) return {};
  const std::size_t bytes = buffer.load<std::uint16_t>(from);
  out.size_ = buffer.load<std::uint16_t>(from + sizeof(std::uint16_t));
  if (bytes < kHead || bytes % sizeof(std::uint16_t) != 0 || out.size_ < sizeof(std::int32_t)) {
    buffer.fail("the vtable at " + std::to_string(from) + " has no legal sizes");
    return {};
  }
  if (!buffer.holds(from, bytes, "a vtable") || !buffer.holds(at, out.size_, "a table") ||
      !buffer.take(out.size_ + sizeof(FlatTable))) {
    return {};
  }
  out.fields_at_ = from + kHead;
  out.fields_size_ = bytes - kHead;
  return out;
}

std::size_t FlatTable::place(int field, std::size_t width) const {
  const std::size_t slot = static_cast<std::size_t>(field) * sizeof(std::uint16_t);
  if (at_ == 0 || slot + sizeof(std::uint16_t) > fields_size_) return 0;
  const std::size_t offset = buffer_->load<std::uint16_t>(fields_at_ + slot);
  if (offset == 0) return 0;
  if (offset < sizeof(std::int32_t) || offset > size_ || width > size_ - offset) {
    buffer_->fail("field " + std::to_string(field) + " lies outside of its table at " +
                  std::to_string(at_));
    return 0;
  }
  return at_ + offset;
}

std::size_t FlatTable::vector(int field, std::size_t width, std::size_t& count) const {
  count = 0;
  const std::size_t at = place(field, kOffset);
  const std::size_t to = at != 0 ? buffer_->follow(at, "a vector") : 0;
  if (to == 0 || !buffer_->holds(to, kOffset, "a vector")) return 0;
  const std::size_t elements = buffer_->load<std::uint32_t>(to);
  // 2^32 elements of a few bytes: no product leaves size_t.
  if (!buffer_->holds(to + kOffset, elements * width, "a vector")) return 0;
  count = elements;
  return to + kOffset;
}

std::span<const std::byte> FlatTable::bytes(int field, std::size_t width) const {
  std::size_t count = 0;
  const std::size_t at = vector(field, width, count);
  if (at == 0 || count == 0) return {};
  // What is viewed costs nothing; what has wider elements is about to be copied.
  if (width > 1 && !buffer_->take(count * width)) return {};
  return buffer_->bytes_.subspan(at, count * width);
}

std::string_view FlatTable::text(int field) const {
  const auto found = bytes(field);
  return {reinterpret_cast<const char*>(found.data()), found.size()};
}

FlatTable FlatTable::table(int field) const {
  const std::size_t at = place(field, kOffset);
  const std::size_t to = at != 0 ? buffer_->follow(at, "a table") : 0;
  return to != 0 ? open(*buffer_, to, depth_ + 1) : FlatTable();
}

std::vector<FlatTable> FlatTable::tables(int field) const {
  std::size_t count = 0;
  const std::size_t at = vector(field, kOffset, count);
  std::vector<FlatTable> out;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t to = buffer_->follow(at + i * kOffset, "a table");
    if (to == 0) break;
    out.push_back(open(*buffer_, to, depth_ + 1));
    if (!buffer_->status()) break;
  }
  return out;
}

}  // namespace polaris
