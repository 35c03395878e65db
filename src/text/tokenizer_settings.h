#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/unicode.h"
#include "text/vocabulary.h"

namespace polaris {

/// One change of the text before it is split.
struct NormalizerStep {
  enum class Kind : std::uint8_t {
    kForm,             // to `form`
    kLowerCase,        // every character
    kStripMarks,       // no combining marks (Mn)
    kReplace,          // `from` becomes `to`; a regular expression where `is_pattern`
    kPrepend,          // `to` before the text
    kStrip,            // no white space at the `left` and `right` end
    kSqueezeSpaces,    // no spaces at the ends, runs of them are one
    kCharsMap,         // SentencePiece's precompiled map, `to`
    kCleanControls,    // BERT: no control characters, white space becomes a space
    kSpaceIdeographs,  // BERT: spaces around every ideograph
  } kind;
  /// Where kPrepend applies: everywhere, at the beginning of the text, there and after a special
  /// token.
  enum class When : std::uint8_t { kAlways, kFirst, kAfterSpecial };

  NormalForm form = NormalForm::kNfc;
  When when = When::kAlways;
  bool unless_there = false;  // kPrepend: not where the text begins with it
  bool is_pattern = false;
  bool left = false;
  bool right = false;
  std::string from;
  std::string to;
};

/// What becomes of the matches of a split; what lies between them are pieces of their own.
enum class SplitBehavior : std::uint8_t {
  kIsolated,
  kRemoved,
  kMergedWithPrevious,
  kMergedWithNext,
  kContiguous,  // neighbouring matches are one piece
};

/// One step of cutting the text into the pieces that the model sees.
struct PreTokenizerStep {
  enum class Kind : std::uint8_t {
    kSplit,        // at matches of `pattern`
    kNormalize,    // `normalize` changes each piece
    kByteLetters,  // each piece in GPT-2's letters for bytes
  } kind = Kind::kSplit;
  std::string pattern;  // a regular expression
  SplitBehavior behavior = SplitBehavior::kIsolated;
  bool invert = false;  // matches and what lies between change places
  NormalizerStep normalize{NormalizerStep::Kind::kReplace};
};

/// How a token that the text is searched for before anything else is matched.
struct AddedToken {
  TokenId id = 0;
  bool left_strip = false;   // takes white space before it
  bool right_strip = false;  // and after it
  bool single_word = false;  // only between characters that belong to no word
  bool normalized = false;   // searched for in the normalized text
  bool as_written = false;   // and its own text is normalized already
};

enum class TokenModelKind : std::uint8_t { kSpm, kBpe, kWordPiece, kUnigram };

/// How the text of a token becomes running text.
enum class PieceStyle : std::uint8_t {
  kPlain,      // as it stands
  kMetaspace,  // U+2581 is a space, <0xNN> a byte
  kByteLevel,  // GPT-2's letters for bytes
  kWordPiece,  // words have a space before them, what continues one has none
  kWordEnd,    // `word_suffix` is a space
};

/// All that makes a tokenizer, whatever file it comes from. Plain data; make_tokenizer checks it.
struct TokenizerSettings {
  TokenModelKind model = TokenModelKind::kSpm;
  std::vector<Token> tokens;
  /// Of kBpe, the first one first. Where it is empty the token of the lowest id is made first.
  std::vector<std::pair<std::string, std::string>> merges;

  std::vector<NormalizerStep> normalizer;
  std::vector<PreTokenizerStep> pre_tokenizer;
  std::vector<AddedToken> added;  // tokens of kind kUserDefined and so on need no row here

  bool byte_level = false;               // pieces are written in GPT-2's letters for bytes
  bool byte_fallback = false;            // what is not in the vocabulary becomes <0xNN>
  bool fuse_unknown = false;             // neighbouring unknowns are one
  bool whole_words = false;              // kBpe: a piece that is a token is not built up by merges
  std::string word_prefix;               // kWordPiece: of tokens that begin a word
  std::string continuing_prefix;         // kWordPiece, kBpe: of tokens that continue one
  std::string word_suffix;               // kBpe: of tokens that end one
  std::int64_t word_characters_max = 0;  // kWordPiece: longer words are unknown; 0: no limit

  std::optional<TokenId> bos, eos, unknown;
  std::vector<TokenId> before, after;  // put around the text where special tokens are wanted
  std::vector<TokenId> ends;           // the file says that these end a text

  PieceStyle style = PieceStyle::kMetaspace;
  bool strip_first_space = false;  // of running text: encoding has put it there
  bool clean_up_spaces = false;    // no space before . , ? ! and the like

  /// Jinja templates that make a text of a conversation, by name; that without one is "default".
  std::map<std::string, std::string, std::less<>> chat_templates;
};

}  // namespace polaris
