// Numbers on the command line: none is taken that the help rules out.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "base/strings.h"
#include "support/generation.h"
#include "support/process.h"
#include "test_paths.h"

namespace polaris {
namespace {

using namespace test;

struct NumberOption {
  std::string name;
  std::string bounds;  // "1 or more", "0 to 1", "above 0, at most 1"
};

/// The text with every stretch of blanks as one space, as descriptions may be wrapped.
std::string unwrapped(const std::string& text) {
  std::string out;
  for (char c : text) {
    const bool blank = c == ' ' || c == '\n';
    if (!blank) out += c;
    if (blank && !out.ends_with(' ')) out += ' ';
  }
  return out;
}

/// Every option of a command's help that takes a number: `--name N ... (bounds)`.
std::vector<NumberOption> number_options(const std::string& command) {
  const ProcessResult help = run_polaris({command, "--help"});
  REQUIRE(help.exit_code == 0);
  const std::string text = unwrapped(help.out);
  // Other kinds of numbers would be taken by rules that the help does not tell.
  for (const char* kind : {" INT ", " UINT ", " FLOAT "}) {
    CAPTURE(command);
    CHECK(text.find(kind) == std::string::npos);
  }
  std::vector<NumberOption> out;
  for (std::size_t at = text.find(" N"); at != std::string::npos; at = text.find(" N", at + 1)) {
    // "--name N=DEFAULT words (bounds)"; the ids of detokenize are numbers too, but no option.
    if (text[at + 2] != ' ' && text[at + 2] != '=') continue;
    const std::string before = text.substr(0, at);
    const std::size_t dashes = before.rfind("--");
    if (dashes == std::string::npos || before.find(' ', dashes) != std::string::npos) continue;
    NumberOption option{before.substr(dashes), ""};
    for (std::size_t open = text.find('(', at); option.bounds.empty();
         open = text.find('(', open + 1)) {
      REQUIRE(open != std::string::npos);
      const std::string inside = text.substr(open + 1, text.find(')', open) - open - 1);
      const bool number = (inside[0] >= '0' && inside[0] <= '9') || inside[0] == '-';
      if (number || inside.starts_with("above ")) option.bounds = inside;
    }
    out.push_back(option);
  }
  return out;
}

std::vector<std::string> commands() {
  std::vector<std::string> out;
  bool listed = false;
  const ProcessResult help = run_polaris({"--help"});
  for (std::string_view line : split(help.out, '\n')) {
    if (line.find("ubcommands") != line.npos || line.find("SUBCOMMANDS") != line.npos) {
      listed = true;
      continue;
    }
    const std::string_view word = trim(line);
    if (listed && line.starts_with("  ") && !word.empty() && line[2] != ' ') {
      out.emplace_back(word.substr(0, word.find(' ')));
    }
  }
  return out;
}

/// What each command needs besides, so that nothing else is wrong with the line.
std::vector<std::string> line_of(const std::string& command) {
  const std::string model = stories_path("q4_0");
  if (command == "info") return {command};
  if (command == "generate" || command == "tokenize") return {command, model, "x"};
  if (command == "chat") return {command, model, "--chat-template", "chatml"};
  if (command == "detokenize") return {command, model, "1"};
  if (command == "eval") return {command, "perplexity", model, "x"};
  if (command == "quantize") return {command, model, "--scheme", "copy", "-o", "x"};
  return {command, model};
}

TEST_CASE("every number of every command is held to what its help says") {
  const std::vector<std::string> all = commands();
  REQUIRE(all.size() >= 7);
  std::size_t tried = 0;
  for (const std::string& command : all) {
    for (const NumberOption& option : number_options(command)) {
      std::vector<std::string> bad = {
          "nan", "inf", "1x", "x", "", " 1", "1e400", "99999999999999999999999", "0x10", "--1"};
      bad.emplace_back(option.bounds.starts_with("-100 ") ? "-100.5" : "-1");
      const bool whole = option.bounds.find('.') == std::string::npos;
      if (option.bounds.starts_with("above 0")) bad.insert(bad.end(), {"0", "-0"});
      if (option.bounds.starts_with("1 ")) bad.emplace_back("0");
      if (option.bounds.starts_with("2 ")) bad.emplace_back("1");
      if (option.bounds.ends_with(" 1")) bad.insert(bad.end(), {"1.01", "2"});
      const std::size_t to = option.bounds.find(" to ");
      if (whole && to != std::string::npos) {
        bad.push_back(std::to_string(parse_i64(option.bounds.substr(to + 4)).value_or(0) + 1));
      }
      for (const std::string& value : bad) {
        std::vector<std::string> arguments = line_of(command);
        arguments.push_back(option.name + "=" + value);
        const ProcessResult result = run_polaris(arguments);
        CAPTURE(command);
        CAPTURE(option.name);
        CAPTURE(option.bounds);
        CAPTURE(value);
        CAPTURE(result.err);
        CHECK(result.exit_code == 2);
        CHECK(result.out.empty());
        CHECK(result.err.starts_with("polaris: error: [cli] "));
        CHECK(std::count(result.err.begin(), result.err.end(), '\n') == 1);
        CHECK(result.err.find(option.name) != std::string::npos);
        ++tried;
      }
    }
  }
  MESSAGE(tried << " values tried");
  CHECK(tried > 200);
  // Those that the help must list.
  const auto names = [](const std::string& command) {
    std::set<std::string> out;
    for (const NumberOption& option : number_options(command)) out.insert(option.name);
    return out;
  };
  const std::set<std::string> generate = {
      "--context",        "--tokens",       "--temperature",  "--top-k",
      "--top-p",          "--min-p",        "--typical-p",    "--repetition-penalty",
      "--mirostat",       "--mirostat-tau", "--mirostat-eta", "--frequency-penalty",
      "--seed",           "--sequence",     "--logprobs",     "--presence-penalty",
      "--penalty-window", "--threads",      "--gpu-share",    "--shares",
      "--micro-batches",  "--lookup",       "--draft-tokens", "--keep"};
  CHECK(names("generate") == generate);
  CHECK(names("bench") == std::set<std::string>{"--context", "--runs", "--warmup",
                                                "--prompt-tokens", "--tokens", "--depth",
                                                "--sequences", "--step-budget", "--threads",
                                                "--gpu-share", "--shares", "--micro-batches",
                                                "--lookup", "--draft-tokens", "--cache-sequences"});
  CHECK(names("info") == std::set<std::string>{"--threads", "--gpu-share", "--shares"});
}

TEST_CASE("numbers within their bounds are taken") {
  const std::string model = stories_path("q4_0");
  for (const std::vector<std::string>& options :
       std::vector<std::vector<std::string>>{{"--temperature", "0"},
                                             {"--temperature=1e-3", "--top-p", "0", "--min-p=1"},
                                             {"--top-k=1", "--seed=18446744073709551615"},
                                             {"--context", "0", "--threads", "1"},
                                             {"--gpu-share=1"}}) {
    std::vector<std::string> arguments = {"generate", model, "x",        "-n",
                                          "1",        "-q",  "--device", "cpu"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    const ProcessResult result = run_polaris(arguments);
    CAPTURE(result.err);
    CHECK(result.exit_code == 0);
  }
}

TEST_CASE("numbers in other places are held to the same") {
  const std::string model = stories_path("q4_0");
  const std::string onnx = std::string(kSourceDir) + "/tests/data/onnx/qdq_cnn.onnx";
  const auto refused = [](const std::vector<std::string>& arguments, const std::string& word) {
    const ProcessResult result = run_polaris(arguments);
    CAPTURE(result.err);
    CHECK(result.exit_code == 2);
    CHECK(std::count(result.err.begin(), result.err.end(), '\n') == 1);
    CHECK(result.err.find(word) != std::string::npos);
  };
  for (const std::string dim :
       {"N", "=3", "N=", "N=-1", "N=nan", "N=1x", "N=1.5", "N=99999999999999999999"}) {
    CAPTURE(dim);
    refused({"run", onnx, "--random-inputs", "--dim", dim}, "--dim");
    refused({"inspect", onnx, "--dim", dim}, "--dim");
    // A command that has no use for it looks at it all the same.
    refused({"tokenize", model, "x", "--dim", dim}, "--dim");
  }
  for (const std::string seed : {"-1", "nan", "1x", "18446744073709551616", "1.5"}) {
    CAPTURE(seed);
    refused({"run", onnx, "--random-inputs=" + seed}, "--random-inputs");
  }
  for (const std::string id : {"1x", "nan", "2147483648", "1.5", "0x10"}) {
    CAPTURE(id);
    refused({"detokenize", model, id}, id);
    refused({"detokenize", model, "1," + id}, id);
  }
}

}  // namespace
}  // namespace polaris
