#include <gtest/gtest.h>

#include <cmath>
#include <iostream>
#include <nlohmann/json.hpp>
#include <random>

#include "base/json_document.h"
#include "base/json_writer.h"
#include "base/utf8.h"

namespace dendro {
namespace {

TEST(JsonWriter, PlacesCommasAndEscapes) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.member("a", 1);
  json.key("b");
  json.begin_array();
  json.value("x\"\\\n\x01");
  json.value(true);
  json.null();
  json.value(2.5);
  json.end_array();
  json.member("c", std::uint64_t{18446744073709551615ULL});
  json.end_object();
  EXPECT_EQ(out, R"({"a":1,"b":["x\"\\\n\u0001",true,null,2.5],"c":18446744073709551615})");
}

TEST(JsonWriter, WritesValidJsonForAnyBytes) {
  const unsigned seed = std::random_device()();
  std::cout << "seed " << seed << "\n";
  std::mt19937 random(seed);
  for (int i = 0; i < 2'000; ++i) {
    std::string bytes(random() % 40, '\0');
    for (char& c : bytes) c = static_cast<char>(random() % 3 == 0 ? random() : random() % 128);
    std::string out;
    append_json_string(out, bytes);
    ASSERT_TRUE(nlohmann::json::accept(out)) << out;
    if (is_valid_utf8(bytes)) ASSERT_EQ(nlohmann::json::parse(out).get<std::string>(), bytes);
  }
}

TEST(JsonWriter, HasNoWordForNotANumber) {
  std::string out;
  append_json_double(out, std::nan(""));
  append_json_double(out, INFINITY);
  EXPECT_EQ(out, "nullnull");
}

TEST(JsonDocument, ReadsEveryKind) {
  const auto parsed = parse_json_document(R"({"s":"x","i":-3,"d":2.5,"t":true,"n":null,"a":[1,"2"],"o":{"k":1}})");
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->find("s")->as_string(), "x");
  EXPECT_EQ(parsed->find("i")->as_int(), -3);
  EXPECT_EQ(parsed->find("d")->as_double(), 2.5);
  EXPECT_EQ(parsed->find("d")->as_int(), std::nullopt);
  EXPECT_EQ(parsed->find("t")->as_bool(), true);
  EXPECT_TRUE(parsed->find("n")->is_null());
  EXPECT_EQ(parsed->find("a")->elements().size(), 2u);
  EXPECT_EQ(parsed->find("o")->find("k")->as_int(), 1);
  EXPECT_EQ(parsed->find("none"), nullptr);
}

TEST(JsonDocument, TheLastOfEqualKeysWins) {
  const auto parsed = parse_json_document(R"({"a":1,"a":2})");
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->find("a")->as_int(), 2);
  EXPECT_EQ(parsed->members().size(), 2u);
}

TEST(JsonDocument, RefusesWhatIsNotOneDocument) {
  for (const char* text : {"", "{", "{}{}", "[1,]", "nul", "{\"a\":01}", "\"\xff\""}) {
    const auto parsed = parse_json_document(text);
    ASSERT_FALSE(parsed.has_value()) << text;
    EXPECT_EQ(parsed.error().code(), ErrorCode::invalid_argument);
  }
  EXPECT_FALSE(parse_json_document(std::string(1'000, '[') + std::string(1'000, ']')).has_value());
}

}  // namespace
}  // namespace dendro
