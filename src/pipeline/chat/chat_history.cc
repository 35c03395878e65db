#include "pipeline/chat/chat_history.h"

#include <cstdint>
#include <utility>

#include "base/json_writer.h"
#include "base/strings.h"
#include "wire/json.h"

namespace polaris {
namespace {

constexpr std::int64_t kVersion = 1;

Error refused(const std::string& what) { return Error::invalid("[chat] session, " + what); }

/// The members of an object, in this order and no others.
bool has_members(const JsonValue& object, std::initializer_list<std::string_view> names) {
  if (!object.is(JsonKind::kObject) || object.size() != names.size()) return false;
  JsonValue member = object.first();
  for (const std::string_view name : names) {
    if (member.name() != name) return false;
    member = member.next();
  }
  return true;
}

Status add_message(const JsonValue& value, std::size_t index, ChatHistory& out) {
  const std::string where = "message " + std::to_string(index);
  if (!has_members(value, {"role", "content"})) {
    return refused(where + ", wanted an object of role and content");
  }
  const auto role = value["role"].text();
  const auto content = value["content"].text();
  if (!role || !content) return refused(where + ", wanted texts for role and content");
  if (index == 0 && *role == "system") {
    out.system = *content;
    return Status::success();
  }
  const std::string_view wanted = out.messages.size() % 2 == 0 ? "user" : "assistant";
  if (*role != wanted) {
    return refused(where + ", got role '" + printable(*role) + "', wanted '" + std::string(wanted) +
                   "'");
  }
  out.add(*role, std::string(*content));
  return Status::success();
}

}  // namespace

void ChatHistory::add(std::string_view role, std::string content) {
  messages.push_back({std::string(role), std::move(content)});
}

std::optional<std::string> ChatHistory::take_last_user() {
  while (!messages.empty()) {
    ChatMessage last = std::move(messages.back());
    messages.pop_back();
    if (last.role == "user") return std::move(last.content);
  }
  return std::nullopt;
}

std::string ChatHistory::to_json(std::size_t first) const {
  JsonWriter json;
  json.begin_object().field("polaris_chat", kVersion).key("messages").begin_array();
  const auto write = [&](std::string_view role, const std::string& content) {
    json.begin_object().field("role", role).field("content", content).end_object();
  };
  if (!system.empty()) write("system", system);
  for (std::size_t i = first; i < messages.size(); ++i) {
    write(messages[i].role, messages[i].content);
  }
  return json.end_array().end_object().take();
}

Result<ChatHistory> ChatHistory::from_json(std::string_view text) {
  const auto document = JsonDocument::parse(text);
  if (!document) return document.error().with_context("[chat] session");
  const JsonValue root = (*document).root();
  if (!has_members(root, {"polaris_chat", "messages"})) {
    return refused("wanted an object of polaris_chat and messages");
  }
  if (root["polaris_chat"].i64() != kVersion) {
    return refused("got another version, wanted " + std::to_string(kVersion));
  }
  const JsonValue list = root["messages"];
  if (!list.is(JsonKind::kArray)) return refused("wanted a list of messages");
  if (list.size() > kMessagesMax) {
    return refused("got " + std::to_string(list.size()) + " messages, wanted at most " +
                   std::to_string(kMessagesMax));
  }
  ChatHistory out;
  std::size_t index = 0;
  for (JsonValue value = list.first(); value; value = value.next()) {
    if (auto status = add_message(value, index++, out); !status) return status.error();
  }
  return out;
}

}  // namespace polaris
