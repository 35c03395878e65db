#include "pipeline/chat/chat_history.h"

#include <doctest/doctest.h>

#include <string>

namespace polaris {
namespace {

TEST_CASE("a conversation is read back as it was written") {
  ChatHistory history;
  history.system = "be \"brief\"\n";
  history.add("user", "grüße 🙂");
  history.add("assistant", "");
  history.add("user", "next");
  const auto read = ChatHistory::from_json(history.to_json());
  REQUIRE_MESSAGE(read, read.error().message());
  CHECK((*read).system == history.system);
  REQUIRE((*read).messages.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK((*read).messages[i].role == history.messages[i].role);
    CHECK((*read).messages[i].content == history.messages[i].content);
  }
  CHECK((*read).to_json() == history.to_json());
  // From a message on, and what stands before all of them.
  const auto later = ChatHistory::from_json(history.to_json(2));
  REQUIRE(later);
  CHECK((*later).system == history.system);
  REQUIRE((*later).messages.size() == 1);
  CHECK((*later).messages[0].content == "next");
  const auto empty = ChatHistory::from_json(ChatHistory().to_json());
  REQUIRE(empty);
  CHECK((*empty).messages.empty());
}

TEST_CASE("the last message of the user goes with its answer") {
  ChatHistory history;
  CHECK_FALSE(history.take_last_user());
  history.add("user", "a");
  history.add("assistant", "b");
  history.add("user", "c");
  history.add("assistant", "d");
  CHECK(history.take_last_user() == "c");
  CHECK(history.messages.size() == 2);
  history.add("user", "e");
  CHECK(history.take_last_user() == "e");
  CHECK(history.take_last_user() == "a");
  CHECK(history.messages.empty());
}

TEST_CASE("sessions that are none are refused") {
  const auto refused = [](const std::string& text, std::string_view what) {
    CAPTURE(text);
    const auto read = ChatHistory::from_json(text);
    REQUIRE_FALSE(read);
    CHECK(read.error().code() == ErrorCode::kInvalid);
    CHECK_MESSAGE(read.error().message().find(what) != std::string::npos, read.error().message());
  };
  const auto with = [](const std::string& messages) {
    return R"({"polaris_chat": 1, "messages": [)" + messages + "]}";
  };
  CHECK(ChatHistory::from_json(with("")));
  refused("", "[chat] session");
  refused("[]", "wanted an object");
  refused(R"({"messages": []})", "wanted an object");
  refused(R"({"polaris_chat": 1, "messages": [], "more": 1})", "wanted an object");
  refused(R"({"polaris_chat": 2, "messages": []})", "another version");
  refused(R"({"polaris_chat": "1", "messages": []})", "another version");
  refused(R"({"polaris_chat": 1, "messages": {}})", "wanted a list");
  refused(with("1"), "message 0, wanted an object");
  refused(with(R"({"role": "user"})"), "message 0");
  refused(with(R"({"role": "user", "content": "a", "x": 1})"), "message 0");
  refused(with(R"({"role": "user", "content": ["a"]})"), "wanted texts");
  refused(with(R"({"role": "assistant", "content": "a"})"), "got role 'assistant', wanted 'user'");
  refused(with(R"({"role": "user", "content": "a"}, {"role": "user", "content": "b"})"),
          "message 1, got role 'user', wanted 'assistant'");
  refused(with(R"({"role": "user", "content": "a"}, {"role": "system", "content": "b"})"),
          "got role 'system'");
  std::string many;
  for (std::size_t i = 0; i <= ChatHistory::kMessagesMax; ++i) many += i == 0 ? "0" : ",0";
  refused(with(many), "got 65537 messages");
  refused(std::string(100, '['), "[chat] session");
}

}  // namespace
}  // namespace polaris
