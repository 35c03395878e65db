#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ir/text/ast.h"
#include "ir/text/text.h"

namespace polaris {

/// Reads text IR into its tree, graphs and the patterns of rewrites.
class TextSyntax {
 public:
  TextSyntax(std::string_view text, const ParseOptions& options);

  /// `graph NAME { ... }`.
  Result<GraphText> graph() { return graph_at(0); }
  /// `state NAME : type ...` and `graph NAME { ... }` up to the end.
  Result<ModelText> model();
  /// `{ statements }` of a rewrite: attributes may be $variables, arguments numbers, and a `const`
  /// need not say more than its name.
  Result<GraphText> pattern() {
    patterns_ = true;
    return body_at(0);
  }
  /// Whether the current token is the word or mark; takes it when it is.
  bool accept(std::string_view text);
  Status expect(std::string_view text);
  bool at_end() const { return token_.kind == TextToken::Kind::kEnd; }
  const TextToken& token() const { return token_; }
  /// What went wrong while cutting tokens; success where nothing did.
  const Status& status() const { return status_; }
  Result<std::string> name();
  /// `unexpected X, wanted Y` at the current token.
  Error unexpected(std::string_view wanted) const;

 private:
  Result<GraphText> graph_at(int depth);
  Result<GraphText> body_at(int depth);
  Status statement(GraphText& graph, int depth);
  Status symbol(GraphText& graph);
  Status constant(GraphText& graph);
  Status state(GraphText& graph);
  Status state_declaration(StateText& state);
  Status output(GraphText& graph);
  Result<NodeText> node(int depth);
  Status arguments(NodeText& node);
  Status node_tail(NodeText& node, int depth);
  Result<ValueText> value(bool may_be_absent);
  Result<ValueText> defined_value();
  Result<TypeText> type();
  Result<TypeText> type_around();
  Status dims(TypeText& type);
  Status encoding(TypeText& type);
  Result<Tensor> tensor(const TensorType& type);
  Result<Tensor> strings(const TensorType& type);
  Result<Tensor> typed_tensor();
  Result<std::shared_ptr<Constant>> constant_data(const TensorType& type);
  Status element(Tensor& tensor, std::int64_t index);
  Status base64(Tensor& tensor);
  Result<AttrLiteral> literal();
  Result<AttrLiteral> list();
  Result<std::int64_t> integer();

  bool is(std::string_view text) const;
  bool is_literal_argument() const;
  void next();

  TextLexer lexer_;
  TextToken token_;
  Status status_;
  std::int64_t constant_bytes_left_;
  bool patterns_ = false;
};

}  // namespace polaris
