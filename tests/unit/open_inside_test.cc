// Files that a model names: within its folder, or a blob of its hub's cache; nothing else.

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "base/os/descriptor.h"
#include "base/os/files.h"
#include "load/source.h"
#include "support/process.h"

namespace polaris {
namespace {

using test::TemporaryFolder;

std::string content(const Descriptor& file) {
  char bytes[64];
  const ssize_t got = ::read(file.get(), bytes, sizeof bytes);
  return {bytes, got > 0 ? static_cast<std::size_t>(got) : 0};
}

/// What is read through the name, or the error's code and message.
std::string look(const std::string& root, std::string_view name) {
  const auto file = open_inside(root, name);
  if (file) return content(*file);
  return std::string(error_code_name(file.error().code())) + ": " + file.error().message();
}

void put(const std::string& path, std::string_view text) {
  REQUIRE(make_folder(path_folder(path)).ok());
  REQUIRE(write_file(path, text).ok());
}
void link(const std::string& text, const std::string& path) {
  REQUIRE(make_folder(path_folder(path)).ok());
  REQUIRE(::symlink(text.c_str(), path.c_str()) == 0);
}

TEST_CASE("names from a model stay inside its folder") {
  const TemporaryFolder folder;
  put(folder.file("secret"), "s");
  put(folder.file("model/w.bin"), "w");
  put(folder.file("model/sub/v.bin"), "v");
  link("../secret", folder.file("model/link"));
  link("..", folder.file("model/up"));
  link("sub/v.bin", folder.file("model/fine"));
  link("../fine", folder.file("model/sub/back"));
  link("sub", folder.file("model/other"));
  link(folder.file("model/w.bin"), folder.file("model/whole"));
  link(folder.file("secret"), folder.file("model/away"));
  link("loop", folder.file("model/loop"));
  const std::string root = folder.file("model");
  CHECK(look(root, "w.bin") == "w");
  CHECK(look(root, "sub/./v.bin") == "v");
  CHECK(look(root, "sub//v.bin") == "v");
  CHECK(look(root, "fine") == "v");
  CHECK(look(root, "sub/back") == "v");
  CHECK(look(root, "other/v.bin") == "v");
  CHECK(look(root, "whole") == "w");
  for (std::string_view bad : {"", "/etc/passwd", "../secret", "sub/../../secret", "link",
                               "up/secret", "away", "a\\b", "sub/..", ".", "loop"}) {
    CAPTURE(bad);
    CHECK(look(root, bad).starts_with("invalid: "));
  }
  CHECK(look(root, std::string_view("w\0", 2)).starts_with("invalid: "));
  CHECK(look(root, std::string(5000, 'a')).starts_with("invalid: "));
  for (std::string_view missing : {"missing", "w.bin/", "w.bin/x", "sub/none"}) {
    CAPTURE(missing);
    CHECK(look(root, missing).starts_with("not_found: "));
  }
  CHECK(look(folder.file("none"), "x").starts_with("not_found: "));
}

TEST_CASE("only regular files are opened, and nothing waits for them") {
  const TemporaryFolder folder;
  const std::string& root = folder.path();
  REQUIRE(make_folder(folder.file("dir")).ok());
  REQUIRE(::mkfifo(folder.file("pipe").c_str(), 0600) == 0);
  link("/dev/zero", folder.file("device"));
  for (std::string_view bad : {"dir", "dir/", "pipe", "device"}) {
    CAPTURE(bad);
    CHECK(look(root, bad).starts_with("invalid: "));
  }
}

struct Hub {
  TemporaryFolder folder;
  std::string repository = folder.file("hub/models--me--m");
  std::string snapshot = repository + "/snapshots/abc";
  Hub() {
    put(repository + "/blobs/aaaa", "blob a");
    put(folder.file("hub/models--you--n/blobs/cccc"), "of another");
    put(folder.file("secret"), "secret");
    put(repository + "/refs/main", "abc");
    put(snapshot + "/config.json", "{}");
    put(snapshot + "/onnx/plain", "plain");
  }
};

TEST_CASE("links of a hub's cache lead to its blobs") {
  Hub hub;
  link("../../blobs/aaaa", hub.snapshot + "/model.bin");
  link("../../../blobs/aaaa", hub.snapshot + "/onnx/model.onnx_data");
  link("../../../../blobs/aaaa", hub.snapshot + "/a/b/deep");
  CHECK(look(hub.snapshot, "model.bin") == "blob a");
  // Below the snapshot, and from a folder that is itself below it.
  CHECK(look(hub.snapshot, "onnx/model.onnx_data") == "blob a");
  CHECK(look(hub.snapshot + "/onnx", "model.onnx_data") == "blob a");
  CHECK(look(hub.snapshot + "/a", "b/deep") == "blob a");
  CHECK(look(hub.snapshot + "/onnx", "plain") == "plain");
  // A cache reached through a link of the user's own.
  link(hub.snapshot, hub.folder.file("mine"));
  CHECK(look(hub.folder.file("mine"), "model.bin") == "blob a");
}

TEST_CASE("any named file of a source may be a hub's link") {
  Hub hub;
  link("../../blobs/aaaa", hub.snapshot + "/main");
  for (const std::string name : {"model-00001-of-00002.safetensors", "tokenizer.json"}) {
    link("../../blobs/aaaa", hub.snapshot + "/" + name);
    auto source = Source::open(hub.snapshot + "/main");
    REQUIRE(source.ok());
    const auto file = source->file(name);
    REQUIRE(file.ok());
    CHECK(file->bytes.size() == 6);
  }
}

TEST_CASE("links of a hub's cache that lead elsewhere are refused") {
  Hub hub;
  const std::string& s = hub.snapshot;
  put(hub.repository + "/blobs/sub/x", "below");
  REQUIRE(::mkfifo((hub.repository + "/blobs/pipe").c_str(), 0600) == 0);
  link("../../../secret", hub.repository + "/blobs/out");
  link("aaaa", hub.repository + "/blobs/chain");
  link("/dev/zero", hub.repository + "/blobs/zero");
  put(hub.repository + "/snapshots/def/model.bin", "other revision");
  const std::vector<std::pair<std::string, std::string>> bad = {
      {"away", "../../../../secret"},
      {"passwd", "/etc/passwd"},
      {"absolute", hub.repository + "/blobs/aaaa"},
      {"refs", "../../refs/main"},
      {"revision", "../def/model.bin"},
      {"other_repository", "../../../models--you--n/blobs/cccc"},
      {"below", "../../blobs/sub/x"},
      {"dots", "../../blobs/../refs/main"},
      {"dot", "../../blobs/."},
      {"folder", "../../blobs/sub"},
      {"all", "../../blobs"},
      {"all_slash", "../../blobs/"},
      {"slash", "../../blobs/aaaa/"},
      {"pipe", "../../blobs/pipe"},
      {"out", "../../blobs/out"},
      {"chain", "../../blobs/chain"},
      {"zero", "../../blobs/zero"},
      {"too_far", "../../../blobs/aaaa"},
      {"too_near", "../blobs/aaaa"},
      {"round_about", "onnx/../../../blobs/aaaa"},
  };
  for (const auto& [name, text] : bad) {
    CAPTURE(name);
    link(text, s + "/" + name);
    CHECK(look(s, name).starts_with("invalid: "));
  }
  // A link to a link into the blobs, and a folder on the way that is a link.
  link("../../blobs/aaaa", s + "/good");
  link("good", s + "/twice");
  link("onnx", s + "/folder_link");
  link("../../../blobs/aaaa", s + "/onnx/good");
  CHECK(look(s, "good") == "blob a");
  CHECK(look(s, "twice").starts_with("invalid: "));
  CHECK(look(s, "folder_link/good").starts_with("invalid: "));
  link("../../blobs/none", s + "/gone");
  CHECK(look(s, "gone").starts_with("not_found: "));
  // blobs itself a link to another place.
  const std::string fake = hub.folder.file("hub/models--fake");
  put(fake + "/snapshots/abc/x", "x");
  link("../models--you--n/blobs", fake + "/blobs");
  link("../../blobs/cccc", fake + "/snapshots/abc/link");
  CHECK_FALSE(look(fake + "/snapshots/abc", "link").starts_with("of another"));
}

TEST_CASE("a folder that is no hub's cache has no blobs") {
  const TemporaryFolder folder;
  put(folder.file("blobs/aaaa"), "blob");
  put(folder.file("models/abc/x"), "x");
  put(folder.file("snapshots/x"), "x");
  link("../../blobs/aaaa", folder.file("models/abc/link"));
  CHECK(look(folder.file("models/abc"), "link").starts_with("invalid: "));
  // snapshots/ itself is no revision.
  link("../blobs/aaaa", folder.file("snapshots/link"));
  CHECK(look(folder.file("snapshots"), "link").starts_with("invalid: "));
}

TEST_CASE("renaming while a name is looked up never leads out") {
  const TemporaryFolder folder;
  put(folder.file("out/file"), "outside");
  put(folder.file("model/a/file"), "inside");
  link("../out", folder.file("model/b"));
  std::atomic<bool> stop{false};
  // Swaps a folder and a link out of the root under the same name.
  std::thread swapper([&] {
    const std::string a = folder.file("model/a");
    const std::string b = folder.file("model/b");
    while (!stop) {
      if (::renameat2(AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), RENAME_EXCHANGE) != 0) break;
    }
  });
  int inside = 0;
  for (int i = 0; i < 20000; ++i) {
    const std::string text = look(folder.file("model"), "a/file");
    CHECK(text != "outside");
    if (text == "inside") ++inside;
  }
  stop = true;
  swapper.join();
  MESSAGE(inside << " of 20000 met the folder");
}

}  // namespace
}  // namespace polaris
