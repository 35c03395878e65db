#include "media/sound.h"

#include <sndfile.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace polaris {
namespace {

using Bytes = std::span<const std::byte>;

bool holds(Bytes file, std::size_t at, std::string_view text) {
  return at <= file.size() && file.size() - at >= text.size() &&
         equal_bytes(file.data() + at, text.data(), text.size());
}
bool is_wav(Bytes file) { return holds(file, 0, "RIFF") && holds(file, 8, "WAVE"); }
bool is_flac(Bytes file) { return holds(file, 0, "fLaC"); }

std::uint32_t little(Bytes file, std::size_t at) {
  std::uint32_t out = 0;
  for (std::size_t i = 4; i-- > 0;) out = out << 8 | std::to_integer<std::uint32_t>(file[at + i]);
  return out;
}

/// libsndfile takes what there is of a cut file for the whole. Programs that write to a pipe leave
/// a length of all ones, or none.
Status check_wav_whole(Bytes file) {
  constexpr std::uint32_t kStreamed = 0x7FFFF000;
  for (std::size_t at = 12; file.size() >= 8 && at <= file.size() - 8;) {
    const std::uint32_t bytes = little(file, at + 4);
    const std::size_t left = file.size() - at - 8;
    if (holds(file, at, "data")) {
      if (bytes <= left || bytes >= kStreamed) return Status::success();
      return Error::invalid("[wav] samples, got " + std::to_string(left) + " bytes, wanted " +
                            std::to_string(bytes));
    }
    if (bytes > left) break;
    at += 8 + std::size_t{bytes} + bytes % 2;
  }
  return Error::invalid("[wav] file, got its end, wanted samples");
}

/// The file in memory, as libsndfile reads files.
struct Cursor {
  Bytes file;
  sf_count_t at = 0;
};

SF_VIRTUAL_IO memory_io() {
  SF_VIRTUAL_IO io{};
  io.get_filelen = [](void* user) {
    return static_cast<sf_count_t>(static_cast<Cursor*>(user)->file.size());
  };
  io.seek = [](sf_count_t offset, int whence, void* user) {
    auto* cursor = static_cast<Cursor*>(user);
    const auto size = static_cast<sf_count_t>(cursor->file.size());
    const sf_count_t base = whence == SEEK_CUR ? cursor->at : whence == SEEK_END ? size : 0;
    if (offset < -base || offset > size - base) return sf_count_t{-1};
    return cursor->at = base + offset;
  };
  io.read = [](void* to, sf_count_t count, void* user) {
    auto* cursor = static_cast<Cursor*>(user);
    const auto left = static_cast<sf_count_t>(cursor->file.size()) - cursor->at;
    count = std::clamp<sf_count_t>(count, 0, left);
    copy_bytes(to, cursor->file.data() + cursor->at, static_cast<std::size_t>(count));
    cursor->at += count;
    return count;
  };
  io.write = [](const void*, sf_count_t, void*) { return sf_count_t{0}; };
  io.tell = [](void* user) { return static_cast<Cursor*>(user)->at; };
  return io;
}

struct CloseSound {
  void operator()(SNDFILE* file) const { sf_close(file); }
};
using OpenSound = std::unique_ptr<SNDFILE, CloseSound>;

bool is_taken(int format) {
  switch (format & SF_FORMAT_SUBMASK) {
    case SF_FORMAT_PCM_S8:
    case SF_FORMAT_PCM_U8:
    case SF_FORMAT_PCM_16:
    case SF_FORMAT_PCM_24:
    case SF_FORMAT_PCM_32:
    case SF_FORMAT_FLOAT:
    case SF_FORMAT_DOUBLE:
    case SF_FORMAT_ULAW:
    case SF_FORMAT_ALAW: return true;
    default: return false;
  }
}

Status check_info(const std::string& format, const SF_INFO& info) {
  if (!is_taken(info.format)) {
    return Error::unsupported("[" + format + "] coding, got " +
                              std::to_string(info.format & SF_FORMAT_SUBMASK) +
                              " of libsndfile's, wanted PCM, float, A-law or mu-law");
  }
  if (info.channels < 1 || info.channels > kSoundChannelsMax) {
    return Error::invalid("[" + format + "] channels, got " + std::to_string(info.channels) +
                          ", wanted 1 to " + std::to_string(kSoundChannelsMax));
  }
  if (info.samplerate < 1 || info.samplerate > kSoundRateMax) {
    return Error::invalid("[" + format + "] rate, got " + std::to_string(info.samplerate) +
                          " Hz, wanted 1 to " + std::to_string(kSoundRateMax));
  }
  if (info.frames < 0 || info.frames > kSoundSamplesMax) {
    return Error::invalid("[" + format + "] samples, got " + std::to_string(info.frames) +
                          ", wanted at most " + std::to_string(kSoundSamplesMax));
  }
  return Status::success();
}

}  // namespace

bool is_sound(Bytes file) { return is_wav(file) || is_flac(file); }

Result<Sound> decode_sound(Bytes file) {
  if (!is_sound(file)) return Error::unsupported("[sound] file, wanted WAV or FLAC");
  const std::string format = is_wav(file) ? "wav" : "flac";
  if (is_wav(file)) {
    if (auto status = check_wav_whole(file); !status) return status.error();
  }
  Cursor cursor{file};
  SF_VIRTUAL_IO io = memory_io();
  SF_INFO info{};
  const OpenSound open(sf_open_virtual(&io, SFM_READ, &info, &cursor));
  if (open == nullptr) {
    return Error::invalid("[" + format + "] " + std::string(sf_strerror(nullptr)));
  }
  if (auto status = check_info(format, info); !status) return status.error();
  Sound out{info.samplerate, {}};
  // In blocks: what a file says of its length is not believed before it is read.
  constexpr sf_count_t kBlock = 4096;
  std::vector<float> block(static_cast<std::size_t>(kBlock * info.channels));
  for (sf_count_t got = kBlock; got == kBlock;) {
    got = sf_readf_float(open.get(), block.data(), kBlock);
    if (got < 0 || static_cast<std::int64_t>(out.samples.size()) + got > info.frames) break;
    for (sf_count_t i = 0; i < got; ++i) {
      double sum = 0;
      for (int c = 0; c < info.channels; ++c) {
        sum += static_cast<double>(block[static_cast<std::size_t>(i * info.channels + c)]);
      }
      out.samples.push_back(static_cast<float>(sum / info.channels));
    }
  }
  if (static_cast<std::int64_t>(out.samples.size()) != info.frames ||
      sf_error(open.get()) != SF_ERR_NO_ERROR) {
    return Error::invalid("[" + format + "] samples, got " + std::to_string(out.samples.size()) +
                          ", wanted " + std::to_string(info.frames));
  }
  return out;
}

}  // namespace polaris
