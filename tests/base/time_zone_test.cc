#include "base/time_zone.h"

#include <gtest/gtest.h>

namespace dendro {
namespace {

Timestamp instant(const char* text) {
  return *parse_rfc3339(text);
}

TEST(TimeZone, OffsetsNeedNoDatabase) {
  for (const auto& [name, offset_s] : std::vector<std::pair<std::string, std::int32_t>>{
           {"", 0}, {"UTC", 0}, {"Z", 0}, {"+01:00", 3600}, {"-0530", -19'800}, {"+14", 50'400}}) {
    const auto zone = TimeZone::find(name);
    ASSERT_TRUE(zone.has_value()) << name;
    EXPECT_TRUE((*zone)->is_fixed());
    EXPECT_EQ((*zone)->offset_at(Timestamp(0)), offset_s) << name;
  }
  EXPECT_EQ(TimeZone::fixed(-19'800)->name(), "-05:30");
  EXPECT_EQ(TimeZone::utc()->instant_of(5), Timestamp(5));
}

TEST(TimeZone, NamedZonesChangeTheirClocks) {
  const auto berlin = *TimeZone::find("Europe/Berlin");
  EXPECT_FALSE(berlin->is_fixed());
  EXPECT_EQ(berlin->name(), "Europe/Berlin");
  EXPECT_EQ(berlin->offset_at(instant("2026-03-29T00:59:59.999999999Z")), 3600);
  EXPECT_EQ(berlin->offset_at(instant("2026-03-29T01:00:00Z")), 7200);
  EXPECT_EQ(berlin->offset_at(instant("2026-10-25T01:00:00Z")), 3600);
}

TEST(TimeZone, LocalTimesSkippedAndShownTwice) {
  const auto berlin = *TimeZone::find("Europe/Berlin");
  const auto local = [](const char* text) { return instant(text).number(); };  // as if it were UTC
  EXPECT_EQ(berlin->instant_of(local("2026-03-29T02:30:00Z")), instant("2026-03-29T01:00:00Z")) << "the gap's end";
  EXPECT_EQ(berlin->instant_of(local("2026-10-25T02:30:00Z")), instant("2026-10-25T00:30:00Z")) << "the earlier one";
  EXPECT_EQ(berlin->instant_of(local("2026-07-01T00:00:00.25Z")), instant("2026-06-30T22:00:00.25Z"));
  const auto cairo = *TimeZone::find("Africa/Cairo");
  EXPECT_EQ(cairo->instant_of(local("2026-04-24T00:00:00Z")), instant("2026-04-23T22:00:00Z"))
      << "clocks go from midnight to one: the day begins where they change";
}

TEST(TimeZone, RefusesWhatIsNoZone) {
  for (const char* name : {"Mars/Olympus", "Europe/Berlin ", "/etc/passwd", "../../etc/passwd", "+25:00", "+1"}) {
    const auto zone = TimeZone::find(name);
    ASSERT_FALSE(zone.has_value()) << name;
    EXPECT_EQ(zone.error().code(), ErrorCode::invalid_argument) << zone.error().message();
  }
}

TEST(TimeZone, TheEndsOfTimeDoNotOverflow) {
  const auto berlin = *TimeZone::find("Europe/Berlin");
  EXPECT_EQ(berlin->local_ns(kTimestampMax), kTimestampMax.number());
  EXPECT_EQ(berlin->instant_of(kTimestampMin.number()), kTimestampMin);
}

}  // namespace
}  // namespace dendro
