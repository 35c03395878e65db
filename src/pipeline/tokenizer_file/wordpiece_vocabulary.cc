#include <algorithm>
#include <utility>

#include "pipeline/tokenizer_file/file_parts.h"
#include "pipeline/tokenizer_file/tokenizer_file.h"
#include "text/bert_steps.h"

namespace polaris {
namespace {

bool has_capital(const Token& token) {
  return token.kind == TokenKind::kNormal &&
         std::any_of(token.text.begin(), token.text.end(),
                     [](char c) { return c >= 'A' && c <= 'Z'; });
}

}  // namespace

Result<TokenizerSettings> read_wordpiece_vocabulary(std::string_view text) {
  TokenizerSettings out;
  out.model = TokenModelKind::kWordPiece;
  out.style = PieceStyle::kWordPiece;
  out.continuing_prefix = "##";
  out.word_characters_max = 100;
  for (std::string_view line : lines_of(text)) {
    Token token;
    token.text = line;
    const bool special = line == "[PAD]" || line == "[CLS]" || line == "[SEP]" || line == "[MASK]";
    if (special) token.kind = TokenKind::kControl;
    if (line == "[UNK]") token.kind = TokenKind::kUnknown;
    out.tokens.push_back(std::move(token));
    if (out.tokens.size() > Vocabulary::kTokensMax) break;  // refused when it is made
  }
  out.unknown = find_token(out.tokens, "[UNK]");
  if (!out.unknown) return Error::invalid("[tokenizer] vocab.txt, got no line [UNK]");
  out.bos = find_token(out.tokens, "[CLS]");
  const auto separator = find_token(out.tokens, "[SEP]");
  if (out.bos) out.before = {*out.bos};
  if (separator) out.after = {*separator};
  // The file does not say whether text is brought to lower case: a vocabulary with capitals is for
  // text as it stands, and the accents stay with it.
  const bool cased = std::any_of(out.tokens.begin(), out.tokens.end(), has_capital);
  BertOptions options;
  options.lower_case = options.strip_accents = !cased;
  out.normalizer = bert_normalizer(options);
  out.pre_tokenizer = bert_pre_tokenizer();
  out.strip_first_space = true;
  out.clean_up_spaces = true;
  return out;
}

}  // namespace polaris
