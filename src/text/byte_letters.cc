#include "text/byte_letters.h"

#include "base/unicode.h"

namespace polaris {
namespace {

constexpr bool stands_for_itself(unsigned byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

constexpr unsigned kMoved = 256 - 188;  // bytes that are written as U+0100 and up

struct Letters {
  char text[256][2] = {};
  unsigned char bytes[256] = {};
  unsigned char moved[kMoved] = {};
};

constexpr Letters make_letters() {
  Letters out;
  unsigned next = 0;
  for (unsigned byte = 0; byte < 256; ++byte) {
    unsigned code = byte;
    if (!stands_for_itself(byte)) {
      out.moved[next] = static_cast<unsigned char>(byte);
      code = 256 + next++;
    }
    if (code < 0x80) {
      out.text[byte][0] = static_cast<char>(code);
      out.bytes[byte] = 1;
    } else {
      out.text[byte][0] = static_cast<char>(0xC0 | code >> 6);
      out.text[byte][1] = static_cast<char>(0x80 | (code & 0x3F));
      out.bytes[byte] = 2;
    }
  }
  return out;
}

constexpr Letters kLetters = make_letters();

}  // namespace

std::string_view byte_letter(std::uint8_t byte) {
  return {kLetters.text[byte], kLetters.bytes[byte]};
}

std::string to_byte_letters(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (char c : bytes) out += byte_letter(static_cast<std::uint8_t>(c));
  return out;
}

std::string from_byte_letters(std::string_view letters) {
  std::string out;
  out.reserve(letters.size());
  for (std::size_t at = 0; at < letters.size();) {
    const Character c = decode_utf8(letters, at);
    if (c.code < 256 && stands_for_itself(c.code)) {
      out += static_cast<char>(static_cast<unsigned char>(c.code));
    } else if (c.code >= 256 && c.code < 256 + kMoved) {
      out += static_cast<char>(kLetters.moved[c.code - 256]);
    } else {
      out += letters.substr(at, c.bytes);
    }
    at += c.bytes;
  }
  return out;
}

}  // namespace polaris
