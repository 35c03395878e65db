#include "wire/zip.h"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "base/strings.h"

namespace polaris {
namespace {

constexpr std::uint32_t kLocal = 0x04034B50;
constexpr std::uint32_t kCentral = 0x02014B50;
constexpr std::uint32_t kEnd = 0x06054B50;
constexpr std::uint32_t kEnd64 = 0x06064B50;
constexpr std::uint32_t kEnd64Place = 0x07064B50;
constexpr std::size_t kLocalBytes = 30;
constexpr std::size_t kCentralBytes = 46;
constexpr std::size_t kEndBytes = 22;
constexpr std::size_t kEnd64Bytes = 56;
constexpr std::size_t kEnd64PlaceBytes = 20;
constexpr std::size_t kCommentBytesMax = 0xFFFF;
constexpr std::uint32_t kElsewhere = 0xFFFFFFFF;  // the number stands in the 64-bit field
constexpr std::uint16_t kStored = 0;
constexpr std::uint16_t kDeflated = 8;
// Deflate makes no more of a byte, so that a small file cannot ask for much memory.
constexpr std::uint64_t kGrowthMax = 1032;

Error bad(std::string_view what) { return Error::invalid("[zip] " + std::string(what)); }

/// Numbers at checked places of the file, low byte first.
class Reader {
 public:
  explicit Reader(std::span<const std::byte> file) : file_(file) {}
  bool has(std::uint64_t at, std::uint64_t bytes) const {
    return at <= file_.size() && bytes <= file_.size() - at;
  }
  template <class T>
  T get(std::uint64_t at) const {
    std::uint64_t value = 0;
    for (std::size_t i = sizeof(T); i-- > 0;) {
      value = value << 8 | std::to_integer<std::uint64_t>(file_[static_cast<std::size_t>(at) + i]);
    }
    return static_cast<T>(value);
  }
  std::uint16_t u16(std::uint64_t at) const { return get<std::uint16_t>(at); }
  std::uint32_t u32(std::uint64_t at) const { return get<std::uint32_t>(at); }
  std::uint64_t u64(std::uint64_t at) const { return get<std::uint64_t>(at); }
  std::string_view text(std::uint64_t at, std::size_t bytes) const {
    return {reinterpret_cast<const char*>(file_.data()) + at, bytes};
  }
  std::uint64_t size() const { return file_.size(); }

 private:
  std::span<const std::byte> file_;
};

struct Directory {
  std::uint64_t at = 0;
  std::uint64_t bytes = 0;
  std::uint64_t entries = 0;
};

std::optional<std::uint64_t> find_end(const Reader& in) {
  if (in.size() < kEndBytes) return std::nullopt;
  const std::uint64_t last = in.size() - kEndBytes;
  const std::uint64_t first = last - std::min<std::uint64_t>(last, kCommentBytesMax);
  for (std::uint64_t at = last;; --at) {
    if (in.u32(at) == kEnd && at + kEndBytes + in.u16(at + 20) == in.size()) return at;
    if (at == first) return std::nullopt;
  }
}

Result<Directory> find_directory(const Reader& in) {
  const auto end = find_end(in);
  if (!end) return bad("file has no directory at its end: it is no archive, or cut short");
  Directory out{in.u32(*end + 16), in.u32(*end + 12), in.u16(*end + 10)};
  if (in.u16(*end + 4) != 0 || in.u16(*end + 6) != 0) {
    return Error::unsupported("[zip] archive stands in several files");
  }
  if (*end < kEnd64PlaceBytes || in.u32(*end - kEnd64PlaceBytes) != kEnd64Place) return out;
  const std::uint64_t wide = in.u64(*end - kEnd64PlaceBytes + 8);
  if (!in.has(wide, kEnd64Bytes) || in.u32(wide) != kEnd64) return bad("wide directory is damaged");
  return Directory{in.u64(wide + 48), in.u64(wide + 40), in.u64(wide + 32)};
}

/// Takes what stands in the entry's 64-bit field for what says so.
Status read_wide(const Reader& in, std::uint64_t at, std::size_t bytes, ZipEntry& entry) {
  while (bytes >= 4) {
    const std::uint16_t id = in.u16(at);
    const std::size_t length = in.u16(at + 2);
    if (length > bytes - 4) break;
    std::uint64_t from = at + 4;
    std::size_t left = length;
    for (std::uint64_t* number : {&entry.size, &entry.packed, &entry.at}) {
      if (id != 1 || *number != kElsewhere || left < 8) continue;
      *number = in.u64(from);
      from += 8;
      left -= 8;
    }
    at += 4 + length;
    bytes -= 4 + length;
  }
  return Status::success();
}

/// Where the entry's data stand, which they do wholly in the file.
Result<std::uint64_t> data_of(const Reader& in, const ZipEntry& entry) {
  const std::string label = "entry '" + printable(entry.name) + "' ";
  if (!in.has(entry.at, kLocalBytes) || in.u32(entry.at) != kLocal) {
    return bad(label + "leads to no header of one");
  }
  const std::uint64_t data = entry.at + kLocalBytes + in.u16(entry.at + 26) + in.u16(entry.at + 28);
  if (!in.has(data, entry.packed)) return bad(label + "leads past the end");
  return data;
}

/// No two entries share bytes of the file, or many could unpack the same ones.
Status check_apart(std::vector<std::pair<std::uint64_t, std::uint64_t>> spans) {
  std::sort(spans.begin(), spans.end());
  for (std::size_t i = 1; i < spans.size(); ++i) {
    if (spans[i].first < spans[i - 1].second) return bad("entries lie upon each other");
  }
  return Status::success();
}

Status inflate_into(std::span<const std::byte> from, std::span<std::byte> to) {
  z_stream stream = {};
  constexpr int kRaw = -15;
  if (inflateInit2(&stream, kRaw) != Z_OK) return Error::out_of_memory("[zip] inflating");
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(from.data()));
  Bytef none = 0;  // no data need a place too
  stream.next_out = to.empty() ? &none : reinterpret_cast<Bytef*>(to.data());
  constexpr std::size_t kStep = std::numeric_limits<uInt>::max();
  std::size_t in = from.size();
  std::size_t out = to.size();
  int state = Z_OK;
  while (state == Z_OK) {
    if (stream.avail_in == 0) {
      stream.avail_in = static_cast<uInt>(std::min(in, kStep));
      in -= stream.avail_in;
    }
    if (stream.avail_out == 0) {
      stream.avail_out = static_cast<uInt>(std::min(out, kStep));
      out -= stream.avail_out;
    }
    state = inflate(&stream, Z_NO_FLUSH);
  }
  const bool whole = state == Z_STREAM_END && out == 0 && stream.avail_out == 0;
  inflateEnd(&stream);
  return whole ? Status::success() : Status(bad("deflated data are damaged, or of another size"));
}

std::uint32_t check_of(std::span<const std::byte> data) {
  return static_cast<std::uint32_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(data.data()), data.size()));
}

template <class T>
void put(std::vector<std::byte>& out, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    out.push_back(static_cast<std::byte>(static_cast<std::uint64_t>(value) >> (8 * i) & 0xFFu));
  }
}

void put_text(std::vector<std::byte>& out, std::string_view text) {
  const auto* bytes = reinterpret_cast<const std::byte*>(text.data());
  out.insert(out.end(), bytes, bytes + text.size());
}

}  // namespace

Result<std::vector<ZipEntry>> list_zip(std::span<const std::byte> file) {
  const Reader in(file);
  const auto directory = find_directory(in);
  if (!directory) return directory.error();
  if (!in.has(directory->at, directory->bytes)) return bad("directory leads past the end");
  std::vector<ZipEntry> out;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> spans;
  std::uint64_t at = directory->at;
  const std::uint64_t end = at + directory->bytes;
  for (std::uint64_t i = 0; i < directory->entries; ++i) {
    if (end - at < kCentralBytes || in.u32(at) != kCentral) return bad("directory is damaged");
    const std::size_t name = in.u16(at + 28);
    const std::size_t extra = in.u16(at + 30);
    const std::uint64_t whole = kCentralBytes + name + extra + in.u16(at + 32);
    if (end - at < whole) return bad("directory is damaged");
    ZipEntry entry{std::string(in.text(at + kCentralBytes, name)),
                   in.u32(at + 24),
                   in.u32(at + 20),
                   in.u32(at + 42),
                   in.u32(at + 16),
                   in.u16(at + 10)};
    if ((in.u16(at + 8) & 1u) != 0) {
      return Error::unsupported("[zip] entry '" + printable(entry.name) + "' is encrypted");
    }
    if (auto s = read_wide(in, at + kCentralBytes + name, extra, entry); !s) return s.error();
    const auto data = data_of(in, entry);
    if (!data) return data.error();
    spans.emplace_back(entry.at, *data + entry.packed);
    out.push_back(std::move(entry));
    at += whole;
  }
  if (auto s = check_apart(std::move(spans)); !s) return s.error();
  return out;
}

Result<std::vector<std::byte>> read_zip(std::span<const std::byte> file, const ZipEntry& entry) {
  const Reader in(file);
  const std::string label = "entry '" + printable(entry.name) + "' ";
  const auto at = data_of(in, entry);
  if (!at) return at.error();
  const auto packed =
      file.subspan(static_cast<std::size_t>(*at), static_cast<std::size_t>(entry.packed));
  std::vector<std::byte> out;
  if (entry.method == kStored) {
    if (entry.size != entry.packed) return bad(label + "is stored with two sizes");
    out.assign(packed.begin(), packed.end());
  } else if (entry.method == kDeflated) {
    if (entry.size / kGrowthMax > entry.packed) return bad(label + "says that it is too large");
    out.resize(static_cast<std::size_t>(entry.size));
    if (auto s = inflate_into(packed, out); !s) return s.error().with_context(label);
  } else {
    return Error::unsupported("[zip] " + label + "method, got " + std::to_string(entry.method) +
                              ", wanted stored or deflated");
  }
  if (check_of(out) != entry.check) return bad(label + "has another check sum: it is damaged");
  return out;
}

Status ZipWriter::add(std::string_view name, std::span<const std::byte> data) {
  const std::uint64_t all = out_.size() + directory_.size() + data.size() + 3 * name.size() + 256;
  if (all >= kElsewhere || name.size() > kCommentBytesMax || entries_ == 0xFFFE) {
    return Error::unsupported("[zip] entry '" + printable(name) +
                              "' makes the archive larger than 4 GiB or 65535 entries");
  }
  const auto at = static_cast<std::uint32_t>(out_.size());
  const auto fields = [&](std::vector<std::byte>& to) {
    put<std::uint16_t>(to, 20);      // version that reads it
    put<std::uint16_t>(to, 0x0800);  // names are UTF-8
    put<std::uint16_t>(to, kStored);
    put<std::uint16_t>(to, 0);
    put<std::uint16_t>(to, 0x21);  // 1980-01-01, so that equal data give equal files
    put<std::uint32_t>(to, check_of(data));
    put<std::uint32_t>(to, static_cast<std::uint32_t>(data.size()));
    put<std::uint32_t>(to, static_cast<std::uint32_t>(data.size()));
    put<std::uint16_t>(to, static_cast<std::uint16_t>(name.size()));
    put<std::uint16_t>(to, 0);
  };
  put(out_, kLocal);
  fields(out_);
  put_text(out_, name);
  out_.insert(out_.end(), data.begin(), data.end());
  put(directory_, kCentral);
  put<std::uint16_t>(directory_, 20);
  fields(directory_);
  directory_.resize(directory_.size() + 10);  // no comment, no attributes
  put(directory_, at);
  put_text(directory_, name);
  ++entries_;
  return Status::success();
}

std::vector<std::byte> ZipWriter::finish() {
  const auto at = static_cast<std::uint32_t>(out_.size());
  out_.insert(out_.end(), directory_.begin(), directory_.end());
  put(out_, kEnd);
  put<std::uint32_t>(out_, 0);
  put(out_, entries_);
  put(out_, entries_);
  put(out_, static_cast<std::uint32_t>(directory_.size()));
  put(out_, at);
  put<std::uint16_t>(out_, 0);
  return std::move(out_);
}

}  // namespace polaris
