#include "identity/role_document.h"

#include <gtest/gtest.h>

namespace dendro {
namespace {

std::string round_trip(const std::string& json) {
  const auto role = parse_role(*parse_json_document(json));
  if (!role) return role.error().message();
  std::string text;
  append_role(text, *role);
  return text;
}

TEST(RoleDocument, GoesBothWays) {
  EXPECT_EQ(round_trip(R"({"name":"red","permissions":["stats","search"],"row_filter":"team:red",)"
                       R"("hidden_fields":["email"],"masked_fields":["ip","\"x\""]})"),
            R"({"name":"red","permissions":["search","stats"],"row_filter":"team:red",)"
            R"("hidden_fields":["email"],"masked_fields":["ip","\"x\""],"read_only":false})");
  EXPECT_EQ(
      round_trip(R"({"name":"none"})"),
      R"({"name":"none","permissions":[],"row_filter":"","hidden_fields":[],"masked_fields":[],"read_only":false})");
  std::string text;
  append_role(text, built_in_roles()[0]);
  EXPECT_EQ(text, R"({"name":"reader","permissions":["search","export","stats","stream"],"row_filter":"",)"
                  R"("hidden_fields":[],"masked_fields":[],"read_only":true})");
}

TEST(RoleDocument, WrongOnesNameTheirFault) {
  EXPECT_EQ(round_trip("[]"), "role: must be an object");
  EXPECT_EQ(round_trip(R"({"name":7})"), "role \"\": name: must be a text");
  EXPECT_EQ(round_trip(R"({"name":"r","row_filter":[]})"), "role \"r\": row_filter: must be a text");
  EXPECT_EQ(round_trip(R"({"permissions":["open"],"name":"r"})"),
            "role \"r\": permissions: there is no permission \"open\"");
  EXPECT_EQ(round_trip(R"({"name":"r","permissions":"search"})"), "role \"r\": permissions: must be a list of texts");
  EXPECT_EQ(round_trip(R"({"name":"r","hidden_fields":[7]})"), "role \"r\": hidden_fields: must be a list of texts");
  EXPECT_EQ(round_trip(R"({"name":"r","filter":""})"), "role \"r\": filter: there is no such member");
}

}  // namespace
}  // namespace dendro
