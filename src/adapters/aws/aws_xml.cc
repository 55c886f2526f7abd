// By pugixml, as `unpack xml`: it makes a tree without recursion, skips document types and resolves no entity of them.
#include "adapters/aws/aws_xml.h"

#include <pugixml.hpp>

namespace dendro {
namespace {

Error not_aws_xml(const std::string& what) {
  return Error(ErrorCode::io_error, "reply is no XML of AWS: " + what);
}

std::string_view local_name(std::string_view name) {
  const std::size_t colon = name.find(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

class AwsXmlBuilder {
 public:
  Status build(const pugi::xml_node& node, int depth, AwsXmlElement& element) {
    if (depth > kAwsXmlDepthMax) return not_aws_xml("nested too deep");
    if (++elements_ > kAwsXmlElementsMax) return not_aws_xml("too many elements");
    element.name = local_name(node.name());
    for (const pugi::xml_node& child : node.children()) {
      if (child.type() == pugi::node_element) {
        DENDRO_TRY(build(child, depth + 1, element.children.emplace_back()));
      } else if (child.type() == pugi::node_pcdata || child.type() == pugi::node_cdata) {
        element.text += child.value();
      }
    }
    return {};
  }

 private:
  std::size_t elements_ = 0;
};

}  // namespace

const AwsXmlElement* AwsXmlElement::find(std::string_view child_name) const {
  for (const AwsXmlElement& child : children) {
    if (child.name == child_name) return &child;
  }
  return nullptr;
}

std::string_view AwsXmlElement::text_of(std::string_view child_name) const {
  const AwsXmlElement* const child = find(child_name);
  return child == nullptr ? std::string_view() : std::string_view(child->text);
}

const AwsXmlElement* AwsXmlElement::find_below(std::string_view element_name) const {
  if (name == element_name) return this;
  for (const AwsXmlElement& child : children) {
    if (const AwsXmlElement* const found = child.find_below(element_name)) return found;
  }
  return nullptr;
}

Result<AwsXmlElement> parse_aws_xml(std::string_view text) {
  if (text.size() > kAwsXmlBytesMax) return not_aws_xml(std::to_string(text.size()) + " bytes are too many");
  pugi::xml_document document;
  // Keys may be blanks only, and blanks around them count.
  const unsigned options = pugi::parse_default | pugi::parse_ws_pcdata_single;
  const pugi::xml_parse_result parsed = document.load_buffer(text.data(), text.size(), options, pugi::encoding_utf8);
  if (!parsed) return not_aws_xml(parsed.description());
  AwsXmlElement root;
  DENDRO_TRY(AwsXmlBuilder().build(document.document_element(), 0, root));
  return root;
}

}  // namespace dendro
