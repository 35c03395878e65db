#include "save/onnx/proto_message.h"

#include <cstring>
#include <utility>

namespace polaris::onnx {
namespace {

constexpr int kVarint = 0;
constexpr int kBytes = 2;
constexpr int kFixed32 = 5;

}  // namespace

std::string& Message::end() {
  if (pieces_.empty() || pieces_.back().held) pieces_.emplace_back();
  return pieces_.back().own;
}

void Message::varint(std::uint64_t value) {
  std::string& out = end();
  const std::size_t before = out.size();
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
  size_ += static_cast<std::int64_t>(out.size() - before);
}

void Message::tag(int field, int wire) { varint(static_cast<std::uint64_t>(field << 3 | wire)); }

void Message::integer(int field, std::int64_t value) {
  tag(field, kVarint);
  varint(static_cast<std::uint64_t>(value));
}

void Message::real(int field, float value) {
  tag(field, kFixed32);
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  end().append(bytes, sizeof value);
  size_ += sizeof value;
}

void Message::text(int field, std::string_view value) {
  tag(field, kBytes);
  varint(value.size());
  end() += value;
  size_ += static_cast<std::int64_t>(value.size());
}

void Message::message(int field, Message value) {
  tag(field, kBytes);
  varint(static_cast<std::uint64_t>(value.size_));
  size_ += value.size_;
  for (Piece& piece : value.pieces_) {
    end() += piece.own;
    if (piece.held) pieces_.back().held = std::move(piece.held);
  }
}

void Message::bytes(int field, const Tensor& tensor) {
  tag(field, kBytes);
  varint(tensor.bytes().size());
  if (tensor.bytes().empty()) return;
  size_ += static_cast<std::int64_t>(tensor.bytes().size());
  end();
  pieces_.back().held = tensor;
}

Status Message::write(const std::function<Status(std::span<const std::byte>)>& sink) const {
  for (const Piece& piece : pieces_) {
    if (Status s = sink(std::as_bytes(std::span(piece.own))); !s) return s;
    if (!piece.held) continue;
    if (Status s = sink(piece.held.bytes()); !s) return s;
  }
  return Status::success();
}

}  // namespace polaris::onnx
