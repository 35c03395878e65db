// Models in several GGUF files: opened by the first, one model or an error that names the part.

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "base/os/files.h"
#include "load/load.h"
#include "support/gguf_builder.h"
#include "support/process.h"

namespace polaris {
namespace {

using test::GgufBuilder;
using test::TemporaryFolder;

std::string part_name(std::size_t number, std::size_t count) {
  const auto five = [](std::size_t n) {
    const std::string digits = std::to_string(n);
    return std::string(5 - digits.size(), '0') + digits;
  };
  return "m-" + five(number + 1) + "-of-" + five(count) + ".gguf";
}

void write_parts(const TemporaryFolder& folder, const std::vector<GgufBuilder>& parts) {
  for (std::size_t i = 0; i < parts.size(); ++i) {
    REQUIRE(write_file(folder.file(part_name(i, parts.size())), parts[i].file()).ok());
  }
}

std::string error_of(const std::string& path) {
  const auto model = load_model(path, OpSet::builtin());
  return model ? "" : model.error().message();
}

TEST_CASE("a model in several files is the model in one") {
  const GgufBuilder whole = test::tiny_llama({});
  const TemporaryFolder folder;
  REQUIRE(write_file(folder.file("whole.gguf"), whole.file()).ok());
  const auto wanted = load_model(folder.file("whole.gguf"), OpSet::builtin());
  REQUIRE_MESSAGE(wanted.ok(), (wanted ? "" : wanted.error().message()));
  for (const std::uint32_t count : {1u, 2u, 3u, 7u, 40u}) {
    CAPTURE(count);
    auto parts = whole.split(count);
    // Each part places its own tensors.
    parts.back().add_u32("general.alignment", 64);
    parts.back().alignment = 64;
    write_parts(folder, parts);
    const auto got = load_model(folder.file(part_name(0, count)), OpSet::builtin());
    REQUIRE_MESSAGE(got.ok(), (got ? "" : got.error().message()));
    CHECK(got->find("main") != nullptr);
    CHECK(got->parameter_count == wanted->parameter_count);
    CHECK(got->metadata.at("split.count") == MetadataValue(std::int64_t{count}));
    std::int64_t bytes = 0;
    for (const GgufBuilder& part : parts) bytes += static_cast<std::int64_t>(part.file().size());
    CHECK(got->file_bytes == bytes);
    REQUIRE(got->weights.size() == wanted->weights.size());
    for (std::size_t i = 0; i < got->weights.size(); ++i) {
      const Weight& weight = got->weights[i];
      CAPTURE(weight.name);
      CHECK(weight.name == wanted->weights[i].name);
      REQUIRE(weight.constant);
      CHECK(weight.constant->file != nullptr);
      CHECK(std::ranges::equal(weight.constant->data.bytes(),
                               wanted->weights[i].constant->data.bytes()));
    }
  }
}

TEST_CASE("a first part may hold the keys alone") {
  const TemporaryFolder folder;
  GgufBuilder first;
  first.add_u32("split.no", 0);
  first.add_u32("split.count", 2);
  GgufBuilder second;
  second.add_u32("split.no", 1);
  second.add_u32("split.count", 2);
  second.add_tensor("t", 0, {1}, std::string(4, '\0'));
  write_parts(folder, {first, second});
  const auto model = load_model(folder.file(part_name(0, 2)), OpSet::builtin());
  REQUIRE_MESSAGE(model.ok(), (model ? "" : model.error().message()));
  CHECK(model->weights.size() == 1);
}

TEST_CASE("a part that is missing, another, or no part is named") {
  struct Row {
    const char* what;
    const char* named;
    std::function<void(const TemporaryFolder&)> harm;
  };
  const auto replace = [](const GgufBuilder& with) {
    return [with](const TemporaryFolder& folder) {
      REQUIRE(write_file(folder.file(part_name(1, 3)), with.file()).ok());
    };
  };
  const auto part = [](std::uint32_t number, std::uint32_t count) {
    GgufBuilder b;
    b.add_u32("split.no", number);
    b.add_u32("split.count", count);
    return b;
  };
  GgufBuilder other = part(1, 3);
  other.add_text("general.architecture", "qwen2");
  GgufBuilder twice = part(1, 3);
  twice.add_tensor("token_embd.weight", 0, {1}, std::string(4, '\0'));
  GgufBuilder no_number;
  no_number.add_u32("split.count", 3);
  GgufBuilder no_count;
  no_count.add_u32("split.no", 1);
  GgufBuilder text_number;
  text_number.add_text("split.no", "1");
  text_number.add_u32("split.count", 3);
  for (const Row& row : {
           Row{"missing", "m-00002-of-00003.gguf",
               [](const TemporaryFolder& f) { ::unlink((f.file(part_name(1, 3))).c_str()); }},
           Row{"a folder", "m-00002-of-00003.gguf",
               [](const TemporaryFolder& f) {
                 ::unlink((f.file(part_name(1, 3))).c_str());
                 REQUIRE(make_folder(f.file(part_name(1, 3))).ok());
               }},
           Row{"a link out of the folder", "m-00002-of-00003.gguf",
               [&](const TemporaryFolder& f) {
                 ::unlink((f.file(part_name(1, 3))).c_str());
                 REQUIRE(::symlink("/etc/hostname", (f.file(part_name(1, 3))).c_str()) == 0);
               }},
           Row{"no GGUF", "m-00002-of-00003.gguf",
               [](const TemporaryFolder& f) {
                 REQUIRE(write_file(f.file(part_name(1, 3)), std::string_view("hello")).ok());
               }},
           Row{"cut", "m-00002-of-00003.gguf",
               [&](const TemporaryFolder& f) {
                 auto bytes = test::tiny_llama({}).split(3)[1].file();
                 bytes.resize(bytes.size() / 2);
                 REQUIRE(write_file(f.file(part_name(1, 3)), bytes).ok());
               }},
           Row{"a number of another", "part 2 of 3", replace(part(2, 3))},
           Row{"the first's number", "part 2 of 3", replace(part(0, 3))},
           Row{"a number past the count", "part 2 of 3", replace(part(3, 3))},
           Row{"no number", "part 2 of 3", replace(no_number)},
           Row{"a text for a number", "part 2 of 3", replace(text_number)},
           Row{"another count", "part 2 of 3", replace(part(1, 2))},
           Row{"no count", "part 2 of 3", replace(no_count)},
           Row{"keys of another model", "part 2 of 3", replace(other)},
           Row{"a tensor again", "'token_embd.weight' appears in two parts", replace(twice)},
           Row{"too few tensors", "split.tensors.count", replace(part(1, 3))},
       }) {
    CAPTURE(row.what);
    const TemporaryFolder folder;
    write_parts(folder, test::tiny_llama({}).split(3));
    REQUIRE(error_of(folder.file(part_name(0, 3))).empty());
    row.harm(folder);
    const std::string got = error_of(folder.file(part_name(0, 3)));
    CAPTURE(got);
    CHECK(got.find(row.named) != std::string::npos);
  }
}

TEST_CASE("a part other than the first, and a name that tells no parts, say what to open") {
  const TemporaryFolder folder;
  const auto parts = test::tiny_llama({}).split(3);
  write_parts(folder, parts);
  CHECK(error_of(folder.file(part_name(1, 3))).find("'m-00001-of-00003.gguf'") !=
        std::string::npos);
  CHECK(error_of(folder.file(part_name(2, 3))).find("'m-00001-of-00003.gguf'") !=
        std::string::npos);
  REQUIRE(write_file(folder.file("renamed.gguf"), parts[0].file()).ok());
  CHECK(error_of(folder.file("renamed.gguf")).find("'-00001-of-00003.gguf'") != std::string::npos);
  Source source = Source::in_memory(part_name(0, 3), parts[0].file());
  const auto model = load_model(source, OpSet::builtin());
  REQUIRE(!model.ok());
  CHECK(model.error().message().find("part 2 of 3") != std::string::npos);
}

TEST_CASE("hostile counts of parts are refused before a file is opened") {
  const TemporaryFolder folder;
  const auto with_count = [&](std::uint32_t type, std::string_view bytes) {
    GgufBuilder b;
    b.add_u32("split.no", 0);
    b.add_raw("split.count", type, bytes);
    REQUIRE(write_file(folder.file("m-00001-of-00003.gguf"), b.file()).ok());
    return error_of(folder.file("m-00001-of-00003.gguf"));
  };
  for (const std::string& bytes : {std::string("\1\4\0\0", 4), std::string(4, '\xff')}) {
    CHECK(with_count(4, bytes).find("split.count") != std::string::npos);
    CHECK(with_count(5, bytes).find("split.count") != std::string::npos);
    CHECK(with_count(10, bytes + bytes).find("split.count") != std::string::npos);
  }
  CHECK(with_count(6, std::string("\0\0\x40\x40", 4)).find("split.count") != std::string::npos);
  CHECK(with_count(7, "\1").find("split.count") != std::string::npos);
}

TEST_CASE("parts may be links of a hub's cache") {
  const TemporaryFolder folder;
  const auto parts = test::tiny_llama({}).split(2);
  REQUIRE(make_folder(folder.file("models--me--m/blobs")).ok());
  REQUIRE(make_folder(folder.file("models--me--m/snapshots/1")).ok());
  for (std::size_t i = 0; i < 2; ++i) {
    const std::string blob = "b" + std::to_string(i);
    REQUIRE(write_file(folder.file("models--me--m/blobs/" + blob), parts[i].file()).ok());
    REQUIRE(::symlink(("../../blobs/" + blob).c_str(),
                      (folder.file("models--me--m/snapshots/1/" + part_name(i, 2))).c_str()) == 0);
  }
  CHECK(error_of(folder.file("models--me--m/snapshots/1/" + part_name(0, 2))).empty());
}

}  // namespace
}  // namespace polaris
