#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "query/language/query_fault.h"
#include "query/plan/geo_database.h"
#include "tests/query/geo_file.h"
#include "tests/query/query_harness.h"

namespace dendro {
namespace {

constexpr const char* kRecords =
    "{\"_time\":\"2026-11-20T10:00:00Z\",\"id\":\"a\",\"ip\":\"81.2.69.160\"}\n"
    "{\"_time\":\"2026-11-20T10:00:01Z\",\"id\":\"b\",\"ip\":\"2001:db8::1\"}\n"
    "{\"_time\":\"2026-11-20T10:00:02Z\",\"id\":\"c\",\"ip\":\"10.0.0.1\"}\n"
    "{\"_time\":\"2026-11-20T10:00:03Z\",\"id\":\"d\",\"ip\":\"no address\"}\n"
    "{\"_time\":\"2026-11-20T10:00:04Z\",\"id\":\"e\"}\n";

class Geoip : public testing::Test {
 protected:
  Geoip() {
    GeoFile file;
    file.add_v4(
        {81, 2, 69, 0}, 24,
        GeoFile::map(
            {{"city", GeoFile::map({{"names", GeoFile::map({{"en", GeoFile::text("London")}})}})},
             {"continent", GeoFile::map({{"code", GeoFile::text("EU")}})},
             {"country", GeoFile::map({{"iso_code", GeoFile::text("GB")},
                                       {"names", GeoFile::map({{"en", GeoFile::text("United Kingdom")}})}})},
             {"location", GeoFile::map({{"latitude", GeoFile::number(51.5)}, {"longitude", GeoFile::number(-0.25)}})},
             {"postal", GeoFile::map({{"code", GeoFile::text("SW1")}})},
             {"subdivisions", GeoFile::list({GeoFile::map({{"iso_code", GeoFile::text("ENG")}})})}}));
    file.add({0x20, 0x01, 0x0D, 0xB8}, 32,
             GeoFile::map({{"autonomous_system_number", GeoFile::uint32(64'500)},
                           {"autonomous_system_organization", GeoFile::text("Example")},
                           {"country", GeoFile::text("a text, not a map")}}));
    write(file.bytes());
    auto opened = open_maxmind_database(path());
    EXPECT_TRUE(opened.has_value()) << opened.error().message();
    if (opened) database_ = *opened;
  }
  ~Geoip() override { std::filesystem::remove(path()); }
  static std::string path() { return testing::TempDir() + "/dendro_geoip_test.mmdb"; }
  static void write(const std::string& bytes) { std::ofstream(path(), std::ios::binary) << bytes; }

  QueryRequest request_of(const std::string& query) const {
    QueryRequest request;
    request.query = query;
    request.geo_database = database_;
    request.now = at("2026-11-20T10:05:00Z");
    return request;
  }
  std::vector<std::string> rows(const std::string& query) const {
    const QueryRequest request = request_of(query);
    const ManualClock clock(request.now);
    return run_query(request, make_snapshot_input(make_memory_snapshot(load_json(kRecords, request.now))), clock).rows;
  }
  using Rows = std::vector<std::string>;

  std::shared_ptr<const GeoDatabase> database_;
};

TEST_F(Geoip, SaysWhereAddressesAre) {
  EXPECT_EQ(rows("id:a | geoip ip | fields geo.*"),
            (Rows{"{\"geo.continent.code\":\"EU\",\"geo.country.iso_code\":\"GB\",\"geo.country.name\":\"United "
                  "Kingdom\",\"geo.region.iso_code\":\"ENG\",\"geo.locality.name\":\"London\",\"geo.postal_code\":"
                  "\"SW1\",\"geo.location.lat\":51.5,\"geo.location.lon\":-0.25}"}));
  EXPECT_EQ(rows("id:b | geoip ip | fields geo.*"),
            (Rows{"{\"geo.as.number\":64500,\"geo.as.organization.name\":\"Example\"}"}))
      << "IPv6, and a country of another form is none";
  EXPECT_EQ(rows("id:in(c, d, e) | geoip ip | fields id, geo.*"),
            (Rows{"{\"id\":\"e\"}", "{\"id\":\"d\"}", "{\"id\":\"c\"}"}))
      << "an address nobody knows, a text that is none, no field";
}

TEST_F(Geoip, TakesNamesPrefixAndCondition) {
  EXPECT_EQ(rows("id:a | geoip ip fields (country.*) prefix \"from.\" | fields from.*, geo.*"),
            (Rows{"{\"from.country.iso_code\":\"GB\",\"from.country.name\":\"United Kingdom\"}"}));
  EXPECT_EQ(rows("* | geoip if (id:b) ip fields as.number | fields geo.*").at(4), "{}") << "the others are not asked";
  EXPECT_EQ(rows("* | geoip ip | stats by (geo.country.iso_code) count() as n"),
            (Rows{"{\"geo.country.iso_code\":\"GB\",\"n\":1}", "{\"geo.country.iso_code\":null,\"n\":4}"}));
  EXPECT_EQ(rows("* | top 1 by (ip) | geoip ip fields country.name").size(), 1U) << "of a table, too";
}

TEST_F(Geoip, HasACanonicalForm) {
  QueryFault fault;
  for (const char* query :
       {"* | geoip ip", "* | geoip if (id:a) `client.address` fields (country.*, as.number) prefix \"\""}) {
    const auto prepared = prepare_query(request_of(query), fault);
    ASSERT_TRUE(prepared.has_value()) << query << fault.detail();
    const auto again = prepare_query(request_of(prepared->canonical_text()), fault);
    ASSERT_TRUE(again.has_value()) << prepared->canonical_text() << fault.detail();
    EXPECT_EQ(again->canonical_text(), prepared->canonical_text());
  }
}

TEST_F(Geoip, NamesWhatIsMissing) {
  QueryFault fault;
  QueryRequest request = request_of("* | geoip ip");
  request.geo_database = nullptr;
  EXPECT_FALSE(prepare_query(request, fault).has_value());
  EXPECT_NE(fault.message.find("query.geoip_database"), std::string::npos) << fault.message;
  EXPECT_EQ(fault.offset, 4u);
  EXPECT_FALSE(prepare_query(request_of("* | geoip"), fault).has_value());
  EXPECT_FALSE(prepare_query(request_of("* | geoip ip fields (town)"), fault).has_value());
  EXPECT_NE(fault.message.find("locality.name"), std::string::npos) << fault.message;
  EXPECT_FALSE(prepare_query(request_of("* | geoip ip prefix |"), fault).has_value());
}

TEST_F(Geoip, RefusesFilesThatAreNone) {
  EXPECT_EQ(open_maxmind_database("/nonexistent.mmdb").error().code(), ErrorCode::not_found);
  const std::string other = path() + ".other";
  std::ofstream(other) << "this is no database";
  const auto opened = open_maxmind_database(other);
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code(), ErrorCode::invalid_argument);
  EXPECT_NE(opened.error().message().find(other), std::string::npos) << opened.error().message();
  std::filesystem::remove(other);
}

TEST_F(Geoip, DamageEndsInAnIncompleteAnswer) {
  GeoFile file;
  file.add_v4({81, 2, 69, 0}, 24, "\xFF\xFF\xFF\xFF");  // points nowhere
  const std::string other = path() + ".damaged";
  std::ofstream(other, std::ios::binary) << file.bytes();
  QueryRequest request = request_of("id:a | geoip ip | fields id");
  request.geo_database = open_maxmind_database(other).value();
  const ManualClock clock(request.now);
  const Answer answer =
      run_query(request, make_snapshot_input(make_memory_snapshot(load_json(kRecords, request.now))), clock);
  EXPECT_EQ(answer.rows, Rows{"{\"id\":\"a\"}"});
  EXPECT_FALSE(answer.outcome.complete);
  ASSERT_TRUE(answer.outcome.error.has_value());
  EXPECT_EQ(answer.outcome.error->code(), ErrorCode::corruption);
  std::filesystem::remove(other);
}

}  // namespace
}  // namespace dendro
