#include "text/chat_format.h"

namespace polaris {
namespace {

constexpr std::string_view kChatMl = R"({%- for message in messages -%}
{{ '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}
{%- endfor -%}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif -%}
)";

// There is no system turn: what it says stands before the first of the user.
constexpr std::string_view kGemma = R"({%- set ns = namespace(system = '') -%}
{%- for message in messages -%}
{%- if message.role == 'system' -%}
{%- set ns.system = message.content | trim -%}
{%- else -%}
{%- set role = 'model' if message.role == 'assistant' else message.role -%}
{{ '<start_of_turn>' + role + '\n' }}
{%- if ns.system and role != 'model' -%}
{{ ns.system + '\n\n' }}
{%- set ns.system = '' -%}
{%- endif -%}
{{ message.content | trim }}{{ '<end_of_turn>\n' }}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif -%}
)";

constexpr std::string_view kLlama3 = R"({%- for message in messages -%}
{{ '<|start_header_id|>' + message.role + '<|end_header_id|>\n\n' }}
{{- message.content | trim }}{{ '<|eot_id|>' }}
{%- endfor -%}
{%- if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif -%}
)";

constexpr ChatFormat kFormats[] = {
    {"chatml", "<|im_start|>", kChatMl},
    {"gemma", "<start_of_turn>", kGemma},
    {"llama3", "<|start_header_id|>", kLlama3},
};

}  // namespace

std::span<const ChatFormat> chat_formats() { return kFormats; }

}  // namespace polaris
