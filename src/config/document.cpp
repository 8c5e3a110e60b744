#include "config/document.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <exception>
#include <sstream>
#include <utility>

namespace sallyport::config {

namespace {

// Thrown through yaml-cpp and caught in read_document.
struct Refused : std::exception {
  explicit Refused(DocumentError cause) : error(std::move(cause)) {}
  DocumentError error;
};

Place place_of(const YAML::Mark& mark) {
  return {mark.line + 1, mark.column + 1};
}

[[noreturn]] void refuse(const YAML::Mark& mark, std::string message, std::string mend) {
  throw Refused({place_of(mark), std::move(message), std::move(mend)});
}

void refuse_tag(const YAML::Mark& mark, const std::string& tag) {
  if (!tag.empty() && tag != "?" && tag != "!") {
    refuse(mark, "Tags are not supported.", "Remove the tag (the word that begins with '!').");
  }
}

class TreeBuilder : public YAML::EventHandler {
 public:
  Node take_root() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ > 0) {
      refuse(mark, "There is more than one document.", "Remove the line '---' and what follows it.");
    }
    root_.place = place_of(mark);
  }
  void OnDocumentEnd() override {}
  void OnAnchor(const YAML::Mark& mark, const std::string& /*name*/) override {
    refuse(mark, "Anchors are not supported.", "Remove the '&name' and write the value where it is used.");
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override {
    refuse(mark, "Aliases are not supported.", "Write the value out instead of '*name'.");
  }
  void OnNull(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override {
    if (expects_key()) {
      refuse(mark, "A key is missing.", "Write a name before the colon.");
    }
    place_value(
        Node{.kind = Node::Kind::null, .style = {}, .text = {}, .place = place_of(mark), .keys = {}, .items = {}},
        mark);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t /*anchor*/,
                const std::string& value) override {
    refuse_tag(mark, tag);
    if (expects_key()) {
      open_.back().keys.push_back({value, place_of(mark)});
      return;
    }
    auto style = tag == "!" ? Node::Style::quoted : Node::Style::plain;
    place_value(Node{.kind = Node::Kind::scalar,
                     .style = style,
                     .text = value,
                     .place = place_of(mark),
                     .keys = {},
                     .items = {}},
                mark);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t /*anchor*/,
                       YAML::EmitterStyle::value /*style*/) override {
    open(Node::Kind::sequence, mark, tag);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t /*anchor*/,
                  YAML::EmitterStyle::value /*style*/) override {
    open(Node::Kind::mapping, mark, tag);
  }
  void OnMapEnd() override { close(); }

 private:
  bool expects_key() const {
    return !open_.empty() && open_.back().kind == Node::Kind::mapping &&
           open_.back().keys.size() == open_.back().items.size();
  }

  void open(Node::Kind kind, const YAML::Mark& mark, const std::string& tag) {
    refuse_tag(mark, tag);
    if (expects_key()) {
      refuse(mark, "A key is not a plain name.", "Write a name before the colon.");
    }
    if (open_.size() >= document_depth_max) {
      refuse(mark, "The document is nested too deeply.", "No setting lies deeper than 16 levels.");
    }
    open_.push_back(Node{.kind = kind, .style = {}, .text = {}, .place = place_of(mark), .keys = {}, .items = {}});
  }

  void close() {
    Node node = std::move(open_.back());
    open_.pop_back();
    YAML::Mark mark;
    place_value(std::move(node), mark);
  }

  void place_value(Node node, const YAML::Mark& mark) {
    if (++nodes_ > document_nodes_max) {
      refuse(mark, "The document has too many values.", "Keep it below 100,000 values.");
    }
    if (open_.empty()) {
      root_ = std::move(node);
    } else {
      open_.back().items.push_back(std::move(node));
    }
  }

  Node root_;
  std::vector<Node> open_;  // from the root to the innermost collection that is still being read
  std::size_t nodes_ = 0;
  int documents_ = 0;
};

}  // namespace

Result<Node, DocumentError> read_document(std::string_view yaml) {
  if (yaml.size() > document_bytes_max) {
    return Unexpected(
        DocumentError{{}, "The document is larger than 1 MiB.", "Split what it configures over gateways."});
  }
  if (yaml.find('\0') != std::string_view::npos) {
    return Unexpected(DocumentError{{}, "The document has a NUL character.", "Save it as UTF-8 text."});
  }
  try {
    std::istringstream stream{std::string(yaml)};
    YAML::Parser parser(stream);
    TreeBuilder builder;
    while (parser.HandleNextDocument(builder)) {
    }
    return builder.take_root();
  } catch (const Refused& refused) {
    return Unexpected(refused.error);
  } catch (const YAML::Exception& exception) {
    return Unexpected(DocumentError{place_of(exception.mark), "This is not YAML: " + exception.msg + ".",
                                    "Look at the indentation, the quotes and the colons around here."});
  } catch (const std::exception&) {
    return Unexpected(DocumentError{{}, "This is not YAML.", "Save it as UTF-8 text."});
  }
}

}  // namespace sallyport::config
