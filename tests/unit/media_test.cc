// Pictures and recordings: what Pillow and numpy have of small files (tests/data/make_media.py),
// and files that are cut, changed or lie about their size.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>
#include <random>
#include <string>
#include <vector>

#include "base/os/files.h"
#include "base/strings.h"
#include "media/decode_image.h"
#include "media/exif.h"
#include "media/resample.h"
#include "media/resize_image.h"
#include "media/sound.h"
#include "support/shared_files.h"
#include "test_paths.h"

namespace polaris {
namespace {

using namespace test;

class Dice {
 public:
  explicit Dice(std::uint32_t seed) : engine_(seed) {}
  std::size_t below(std::size_t count) { return engine_() % count; }

 private:
  std::mt19937 engine_;
};

std::string folder() { return std::string(kSourceDir) + "/tests/data/media"; }

std::string file(const std::string& name) {
  auto text = read_file(folder() + "/" + name, 1 << 20);
  REQUIRE_MESSAGE(text, text.error().message());
  return text.take();
}

std::span<const std::byte> bytes(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

std::vector<std::uint8_t> from_hex(const std::string& hex) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::vector<std::uint8_t> out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    out.push_back(static_cast<std::uint8_t>(digit(hex[i]) * 16 + digit(hex[i + 1])));
  }
  return out;
}

int farthest(const std::vector<std::uint8_t>& a, const std::vector<std::uint8_t>& b) {
  REQUIRE(a.size() == b.size());
  int out = 0;
  for (std::size_t i = 0; i < a.size(); ++i) out = std::max(out, std::abs(a[i] - b[i]));
  return out;
}

/// Rows of media_expected.tsv of one kind, without the kind.
std::vector<std::vector<std::string>> rows(const std::string& kind) {
  std::vector<std::vector<std::string>> out;
  for (auto& row : read_table("data/media_expected.tsv")) {
    if (row[0] == kind) out.emplace_back(row.begin() + 1, row.end());
  }
  REQUIRE(out.size() > 4);
  return out;
}

TEST_CASE("pictures decode to Pillow's pixels") {
  for (const auto& row : rows("picture")) {
    CAPTURE(row[0]);
    const auto image = decode_image(bytes(file(row[0])));
    REQUIRE_MESSAGE(image, image.error().message());
    CHECK(image->width == parse_i64(row[1]));
    CHECK(image->height == parse_i64(row[2]));
    CHECK(farthest(image->rgb, from_hex(row[3])) == 0);
  }
}

TEST_CASE("pictures change their size to Pillow's pixels") {
  const auto image = decode_image(bytes(file("rgb.png")));
  REQUIRE(image);
  for (const auto& row : rows("resize")) {
    CAPTURE(row[1]);
    CAPTURE(row[2]);
    CAPTURE(row[3]);
    const auto filter = resize_filter_from_name(row[1]);
    REQUIRE(filter);
    CHECK(resize_filter_name(*filter) == row[1]);
    const auto sized = resize_image(*image, *parse_i64(row[2]), *parse_i64(row[3]), *filter);
    REQUIRE(sized);
    CHECK(sized->width == parse_i64(row[2]));
    CHECK(farthest(sized->rgb, from_hex(row[4])) == 0);
  }
  CHECK_FALSE(resize_filter_from_name("linear"));
  CHECK_FALSE(resize_image(*image, 0, 5, ResizeFilter::kBox));
  CHECK_FALSE(resize_image(*image, 65535, 65535, ResizeFilter::kBox));
}

TEST_CASE("recordings decode to the samples that were written, mixed to one channel") {
  for (const auto& row : rows("sound")) {
    CAPTURE(row[0]);
    const auto sound = decode_sound(bytes(file(row[0])));
    REQUIRE_MESSAGE(sound, sound.error().message());
    CHECK(sound->rate_hz == parse_i64(row[1]));
    const auto raw = from_hex(row[3]);
    REQUIRE(sound->samples.size() * 4 == raw.size());
    for (std::size_t i = 0; i < sound->samples.size(); ++i) {
      float wanted = 0;
      std::memcpy(&wanted, raw.data() + i * 4, 4);
      REQUIRE(std::fabs(sound->samples[i] - wanted) < 1e-6f);
    }
  }
}

/// Decodes; an error says which format it is of.
void check_survives(const std::string& name, const std::string& text) {
  if (is_sound(bytes(text))) {
    const auto sound = decode_sound(bytes(text));
    if (!sound) CHECK(sound.error().message().starts_with("["));
    return;
  }
  const auto image = decode_image(bytes(text));
  CAPTURE(name);
  if (!image) CHECK(image.error().message().starts_with("["));
  if (image) CHECK(image->rgb.size() == static_cast<std::size_t>(image->width * image->height * 3));
}

/// One of each kind that a decoder tells apart.
const std::vector<std::string> kFiles = {
    "rgb.png",     "palette.png", "grey_alpha.png",  "interlaced.png", "rgb16.png",   "bits.png",
    "rgb.jpg",     "cmyk.jpg",    "progressive.jpg", "grey.jpg",       "turned6.jpg", "rgb.bmp",
    "palette.bmp", "bits.bmp",    "rgb565.bmp",      "top_down.bmp",   "stereo.wav",  "float.wav",
    "rgb.ppm",     "grey.pgm",    "bytes.wav",       "mono.flac",      "stereo.flac"};

TEST_CASE("every cut of a file is an error, or all of the picture") {
  for (const std::string& name : kFiles) {
    CAPTURE(name);
    const std::string whole = file(name);
    int wrong = 0;
    std::vector<std::uint8_t> pixels;
    if (const auto image = decode_image(bytes(whole))) pixels = image->rgb;
    for (std::size_t length = 0; length < whole.size(); ++length) {
      CAPTURE(length);
      const std::string cut = whole.substr(0, length);
      // A baseline JPEG is whole before its last marker, an 8-bit WAV before its padding.
      const auto image = decode_image(bytes(cut));
      if (image) CHECK(image->rgb == pixels);
      const auto sound = decode_sound(bytes(cut));
      if (image || sound) ++wrong;
    }
    CHECK(wrong <= 3);
  }
}

TEST_CASE("changed bytes end no process") {
  Dice random(41);
  for (const std::string& name : kFiles) {
    const std::string whole = file(name);
    for (int round = 0; round < 400; ++round) {
      std::string changed = whole;
      for (int n = 1 + static_cast<int>(random.below(4)); n > 0; --n) {
        changed[random.below(changed.size())] = static_cast<char>(random.below(256));
      }
      check_survives(name, changed);
    }
  }
}

void put(std::string& text, std::size_t at, std::uint32_t value, bool little) {
  for (std::size_t i = 0; i < 4; ++i) {
    text[at + (little ? i : 3 - i)] = static_cast<char>(value >> (8 * i));
  }
}

void check_image_error(const std::string& text, const std::vector<std::string>& words) {
  const auto image = decode_image(bytes(text));
  REQUIRE_FALSE(image);
  for (const std::string& word : words) {
    CAPTURE(image.error().message());
    CHECK(image.error().message().find(word) != std::string::npos);
  }
}

TEST_CASE("sizes are refused before anything is allocated for them") {
  std::string bmp = file("rgb.bmp");
  put(bmp, 18, 60000, true);
  put(bmp, 22, 60000, true);
  check_image_error(bmp, {"[bmp]", "60000 x 60000", "134217728"});
  put(bmp, 18, 5000, true);
  put(bmp, 22, 5000, true);
  check_image_error(bmp, {"[bmp] pixels", "wanted 75000000"});
  put(bmp, 22, 0x80000000u, true);
  check_image_error(bmp, {"[bmp]", "2147483648"});
  bmp = file("palette.bmp");
  put(bmp, 46, 0x10000000u, true);
  check_image_error(bmp, {"[bmp] palette", "268435456"});
  bmp = file("rgb.bmp");
  put(bmp, 30, 1, true);
  check_image_error(bmp, {"[bmp] compression", "got 1"});

  std::string jpeg = file("rgb.jpg");
  const std::size_t frame = jpeg.find("\xff\xc0");
  REQUIRE(frame != std::string::npos);
  for (std::size_t i = 5; i < 9; ++i) jpeg[frame + i] = '\xf0';
  check_image_error(jpeg, {"[jpeg]", "61680 x 61680"});
}

TEST_CASE("a PNG that claims too much is refused by its header") {
  check_image_error(file("huge.png"), {"[png]", "60000 x 60000", "134217728"});
  std::string png = file("rgb.png");
  put(png, 16, 0x7FFFFFFF, false);
  check_image_error(png, {"[png]"});
  png = file("rgb.png");
  png.resize(png.size() - 20);
  check_image_error(png, {"[png]", "end"});
}

TEST_CASE("other files are named") {
  check_image_error("", {"an empty file", "PNG, JPEG, BMP or PNM"});
  check_image_error("GIF89a......", {"a GIF"});
  check_image_error(std::string("RIFF\0\0\0\0WEBPVP8 ", 16), {"a WebP"});
  check_image_error("P3 1 1 255 1 2 3", {"a PNM"});
  check_image_error("P6 1 1 65535 abcdef", {"[pnm]", "65535"});
  check_image_error("P6 # 1 2 3", {"[pnm] header"});
  check_image_error("P6 9999999999 1 255 ", {"[pnm] header"});
  check_image_error("P6 60000 60000 255 ", {"[pnm]", "60000 x 60000"});
  check_image_error("polaris", {"something else"});
  const auto sound = decode_sound(bytes("ID3 of an MP3"));
  REQUIRE_FALSE(sound);
  CHECK(sound.error().code() == ErrorCode::kUnsupported);
}

TEST_CASE("EXIF that is malformed means nothing") {
  const std::string jpeg = file("turned6.jpg");
  CHECK(exif_orientation(bytes(jpeg)) == 6);
  CHECK(exif_orientation(bytes(file("rgb.jpg"))) == 1);
  Dice random(5);
  for (int round = 0; round < 2000; ++round) {
    std::string changed = jpeg;
    for (int n = 0; n < 3; ++n) {
      changed[2 + random.below(80)] = static_cast<char>(random.below(256));
    }
    const int orientation = exif_orientation(bytes(changed));
    CHECK(orientation >= 1);
    CHECK(orientation <= 8);
  }
}

Sound tone(std::int64_t rate_hz, double hz, std::size_t count) {
  Sound out{rate_hz, {}};
  for (std::size_t i = 0; i < count; ++i) {
    out.samples.push_back(static_cast<float>(std::sin(
        2 * std::numbers::pi * hz * static_cast<double>(i) / static_cast<double>(rate_hz))));
  }
  return out;
}

/// Far from the ends, where the sinc reaches beyond the recording.
double farthest_inside(const Sound& a, const Sound& b, std::size_t margin) {
  REQUIRE(a.samples.size() == b.samples.size());
  double out = 0;
  for (std::size_t i = margin; i + margin < a.samples.size(); ++i) {
    out = std::max(out, std::fabs(static_cast<double>(a.samples[i] - b.samples[i])));
  }
  return out;
}

TEST_CASE("resampling keeps tones that both rates can hold, and nothing else") {
  const std::pair<std::int64_t, std::int64_t> rates[] = {
      {44100, 16000}, {8000, 16000}, {48000, 16000}, {16000, 44100}, {11025, 16000}};
  for (const auto& [from, to] : rates) {
    CAPTURE(from);
    CAPTURE(to);
    const double nyquist = static_cast<double>(std::min(from, to)) / 2;
    const auto count = static_cast<std::size_t>(from / 4);
    for (const double part : {0.05, 0.4, 0.8}) {
      const auto got = resample(tone(from, nyquist * part, count), to);
      REQUIRE(got);
      CHECK(got->rate_hz == to);
      const Sound wanted = tone(to, nyquist * part, got->samples.size());
      CHECK(farthest_inside(*got, wanted, 200) < 2e-4);
    }
    if (from <= to) continue;
    // What would come back as another tone.
    const auto got = resample(tone(from, nyquist * 1.15, count), to);
    REQUIRE(got);
    const Sound silence{to, std::vector<float>(got->samples.size())};
    CHECK(farthest_inside(*got, silence, 200) < 1e-4);
  }
}

TEST_CASE("resampling: lengths and limits") {
  Sound sound = tone(44100, 100, 441);
  CHECK(resample(sound, 16000)->samples.size() == 160);
  CHECK(resample(sound, 44100)->samples == sound.samples);
  CHECK(resample(Sound{44100, {}}, 16000)->samples.empty());
  CHECK_FALSE(resample(sound, 0));
  CHECK_FALSE(resample(sound, kSoundRateMax + 1));
  sound.rate_hz = 767999;
  const auto odd = resample(sound, 768000);
  REQUIRE_FALSE(odd);
  CHECK(odd.error().code() == ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace polaris
