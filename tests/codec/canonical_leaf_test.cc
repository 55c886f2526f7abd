#include "codec/canonical_leaf.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <vector>

#include "codec/splitter.h"

namespace dendro {
namespace {

/// Soft marks as '~', which no row below uses otherwise.
std::string shown(std::string_view body) {
  std::string leaf = canonical_leaf(body);
  for (char& c : leaf) c = c == kSoftMark ? '~' : c;
  return leaf;
}

/// The template of `text` by the definition in splitter.h, written anew, each slot as `mark`.
std::string skeleton_of(std::string_view text, char mark) {
  std::string out;
  while (!text.empty()) {
    const std::size_t size = std::min(text.find_first_of(kDelimiters), text.size());
    const std::string_view token = text.substr(0, size);
    if (token.find_first_of("0123456789") == std::string_view::npos)
      out += token;
    else
      out.push_back(mark);
    text.remove_prefix(size);
    if (text.empty()) break;
    out.push_back(text.front());
    text.remove_prefix(1);
  }
  return out;
}

/// The leaf as a body again: each `<*>` token a slot.
std::string with_slots(std::string leaf) {
  const std::string variable(kLeafVariable);
  for (std::size_t at = leaf.find(variable); at != std::string::npos; at = leaf.find(variable, at)) {
    leaf.replace(at, variable.size(), 1, kSlotMark);
  }
  return leaf;
}

struct LeafRow {
  std::string_view body;
  std::string_view leaf;
};

void expect_rows(std::initializer_list<LeafRow> rows) {
  for (const LeafRow& row : rows) {
    EXPECT_EQ(shown(row.body), row.leaf) << row.body;
    EXPECT_EQ(shown(skeleton_of(row.body, '\x01')), row.leaf) << row.body;
    EXPECT_EQ(shown(skeleton_of(row.body, kSlotMark)), row.leaf) << row.body;
  }
}

// ---- 3.1 and 3.2: tokens ----

TEST(CanonicalLeafTokens, SpacesOnlySeparate) {
  expect_rows({{"", ""},
               {" \t\r\n ", ""},
               {"  Server   started\tnow \r", "Server started now"},
               {std::string_view("a\0b", 3), "a b"}});
}

TEST(CanonicalLeafTokens, OnlyTheFirstLineCounts) {
  expect_rows({{"Traceback (most recent call last):\r\n  File \"x\"", "Traceback ( most recent call last ) :"},
               {"\n\n second\nthird", "second"}});
}

TEST(CanonicalLeafTokens, UrlsEndAtSpaceQuoteAngleOrBar) {
  expect_rows({{"see http://a.b/c?x=y&z=(w),v now", "see ~http://a.b/c?x=y&z=(w),v now"},
               {"<http://a.b/c>", "< ~http://a.b/c >"},
               {"'ftp://a/b'|x", "' ~ftp://a/b ' | x"},
               {"see http://a.b/c.", "see ~http://a.b/c ."},
               {"svn+ssh://a/b|c", "~svn+ssh://a/b | c"},
               {"from s3://bucket/key ok", "from <*> ok"}});
}

TEST(CanonicalLeafTokens, PathsStartWhereNoWordEnds) {
  expect_rows({{"open /etc/passwd: No such file", "open ~/etc/passwd : No such file"},
               {"dir=/var/log;x", "dir = ~/var/log ; x"},
               {"[/usr/share/](b)", "[ ~/usr/share/ ] ( b )"},
               {"read/write", "~read/write"},
               {"a / b", "a / b"},
               {"(a)/b=c", "( a ) ~/b = ~c"},
               {"/a=b|c", "~/a=b|c"}});  // a path goes on where a run would end
}

TEST(CanonicalLeafTokens, RunsLoseTrailingPunctuationAndSplitAtColons) {
  expect_rows({{"Really done?! all*", "Really done ? ! all *"},
               {"wait...", "wait . . ."},
               {"Error: no", "Error : no"},
               {"user:group failed", "user : group failed"},
               {"std::move", "std : : move"},
               {"C:\\Windows", "C : \\Windows"},
               {"localhost:8080", "localhost : <*>"},
               {"proxy.example.com:8080", "<*>"},
               {"10.0.0.1:80", "<*>"},
               {"5@host:80", "<*>"},
               {"a.b:c a:b.c:5", "~a.b : c a : ~b.c : <*>"},
               {"5:-:6", "<*>"},
               {"12:30:05", "<*>"},
               {"aa:bb:cc:dd:ee:ff", "<*>"},
               {"fe80::1", "<*>"},
               {"dead::beef", "dead : : beef"},
               {"ad:be", "ad : be"},
               {"`x` ; y", "` x ` ; y"}});
}

TEST(CanonicalLeafTokens, TheTailIsOneVariable) {
  std::string words;
  for (int i = 0; i < 256; ++i) words += "w ";
  EXPECT_EQ(canonical_leaf(words).size(), 256 * 2 - 1U);
  EXPECT_EQ(canonical_leaf(words + "x"), words + "<*>");
  EXPECT_EQ(canonical_leaf(words + "y z"), words + "<*>");
  EXPECT_EQ(canonical_leaf(words.substr(2) + "..."), words.substr(2) + ". <*>");
}

// ---- 3.3: classes ----

TEST(CanonicalLeafClasses, HardOnesAreVariables) {
  expect_rows({{"took 5 steps", "took <*> steps"},
               {"blk_-162 x86_64", "<*> <*>"},
               {"id deadbeef ok", "id <*> ok"},
               {"id deadbee ok", "id deadbee ok"},
               {"id DEADBEEF ok", "id DEADBEEF ok"},
               {"part-00 of rdd_2_0", "<*> of <*>"}});
  EXPECT_EQ(canonical_leaf(std::string(256, 'x')), std::string(256, 'x'));
  EXPECT_EQ(canonical_leaf(std::string(257, 'x')), "<*>");
}

TEST(CanonicalLeafClasses, SoftOnesAreMarked) {
  expect_rows({{"CORP\\bob joined", "~CORP\\bob joined"},
               {"bob@example joined", "~bob@example joined"},
               {"@bob \\bob bob@ bob", "@bob \\bob bob@ bob"},
               {"org.apache.Foo loaded", "~org.apache.Foo loaded"},
               {"e. .g a.-b", "e . .g a.-b"},
               {"user=root uid= x", "user = ~root uid = x"},
               {"user=\"root\" a=()", "user = \" root \" a = ( <*> )"},
               {"a=-- b", "a = -- b"}});
}

// ---- 3.3: folding ----

TEST(CanonicalLeafFolding, Rule1AbsorbsUnits) {
  expect_rows({{"5 KB 7 ms 9 % 3 seconds", "<*> <*> <*> <*>"},
               {"5 apples in KB", "<*> apples in KB"},
               {"took 5ms", "took <*>"},
               {"5 MB/s", "<*> ~MB/s"}});
}

TEST(CanonicalLeafFolding, Rule2FoldsDates) {
  expect_rows({{"Jan 5", "<*> <*>"},
               {"5 March", "<*> <*>"},
               {"Sun Jul 10 12:30:00 PDT 2005", "<*> <*> <*> <*> <*>"},
               {"Sun, 06 Nov", "<*> <*>"},
               {"Thu, maybe", "<*> , maybe"},
               {"It may rain in May", "It may rain in May"},
               {"Mon Mar", "<*> <*>"},
               {"at 12:30 PM GMT", "at <*>"},
               {"PM told GMT", "PM told GMT"}});
}

TEST(CanonicalLeafFolding, Rule3FoldsWhatAMethodAsksFor) {
  expect_rows({{"\"GET /index.html HTTP/1.1\" ok", "\" GET <*> <*> \" ok"},
               {"GET http://a.b/c", "GET <*>"},
               {"GET it", "GET it"},
               {"GETS /a", "GETS ~/a"}});
}

TEST(CanonicalLeafFolding, Rule4FillsEmptyPairs) {
  expect_rows({{"call() [] {} <> ( )", "call ( <*> ) [ <*> ] { <*> } < <*> > ( <*> )"},
               {"name=\"\" x=''", "name = \" <*> \" x = ' <*> '"},
               {"\"\" is empty", "\" <*> \" is empty"},
               {"\"a\"\"b\"", "\" a \" \" b \""},
               {"\"a\" \"b\"", "\" a \" \" b \""},
               {"(]", "( ]"}});
}

TEST(CanonicalLeafFolding, Rule5DropsTheSameThingAgain) {
  expect_rows({{"took 5 (7) now", "took <*> now"},
               {"sent 5 bytes (4.9 KB) ok", "sent <*> bytes ok"},
               {"sent bytes () ok", "sent bytes ok"},
               {"call (5)", "call ( <*> )"}});
}

TEST(CanonicalLeafFolding, Rule6JoinsLists) {
  expect_rows({{"ids 1, 2,3 | 4", "ids <*>"},
               {"5 - 6 # 7", "<*>"},
               {"5 ; 6", "<*> ; <*>"},
               {"5 , x", "<*> , x"},
               {"Mon, 5 | Jan 6", "<*> <*>"},
               {"5 - (7) - 8 ms", "<*> - ( <*> ) - <*>"}});
}

// ---- properties ----

std::uint64_t leaf_seed() {
  const char* given = std::getenv("DENDRO_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : 42;
}

/// Any bytes, most of them those that some rule looks at.
class BodySource {
 public:
  explicit BodySource(std::uint64_t seed) : random_(seed) {}

  std::string body() {
    std::string text;
    for (std::size_t pieces = random_() % 20; pieces > 0; --pieces) text += piece();
    return text;
  }
  std::string with_digit() {
    static constexpr std::string_view kBytes = "0123456789abcxyzKZ_-.+~^!$%`\x80\xC3\x01\x02\x0B\x7F";
    std::string token(1, static_cast<char>('0' + random_() % 10));
    for (std::size_t more = random_() % 12; more > 0; --more) {
      token.insert(token.begin() + static_cast<std::ptrdiff_t>(random_() % (token.size() + 1)), one_of(kBytes));
    }
    return token;
  }
  std::mt19937_64& random() { return random_; }

 private:
  char one_of(std::string_view bytes) { return bytes[random_() % bytes.size()]; }
  std::string piece() {
    static constexpr std::array<std::string_view, 28> kPieces{
        "GET", "Jan",   "Sun",   "UTC", "PM", "ms",  "bytes", "(", ")", "()", "\"\"", "''", "http://", "deadbeef",
        "a.b", "aa:bb", "a:b:c", "/",   ",",  " - ", " ",     " ", " ", "=",  "x\\y", "<>", "\n",      "word"};
    switch (random_() % 8) {
      case 0:
        return std::string(1, static_cast<char>(random_()));
      case 1:
        return std::string(1, one_of(kDelimiters));
      case 2:
        return with_digit();
      default:
        return std::string(kPieces[random_() % kPieces.size()]);
    }
  }
  std::mt19937_64 random_;
};

TEST(CanonicalLeafProperty, LeafOfASkeletonIsLeafOfItsText) {
  for (std::uint64_t round = 0; round < 30'000; ++round) {
    BodySource source(leaf_seed() + round);
    const std::string body = source.body();
    const std::string leaf = canonical_leaf(body);
    ASSERT_EQ(canonical_leaf(skeleton_of(body, '\x01')), leaf) << "DENDRO_SEED=" << leaf_seed() + round << "\n" << body;
    ASSERT_EQ(canonical_leaf(skeleton_of(body, kSlotMark)), leaf) << "DENDRO_SEED=" << leaf_seed() + round << "\n"
                                                                  << body;
  }
}

TEST(CanonicalLeafProperty, BodiesThatDifferInTokensWithDigitsHaveOneLeaf) {
  for (std::uint64_t round = 0; round < 10'000; ++round) {
    BodySource source(leaf_seed() + round);
    const std::string skeleton = skeleton_of(source.body(), '\x01');
    const auto filled = [&] {
      std::string text;
      for (const char c : skeleton) {
        if (c == '\x01')
          text += source.with_digit();
        else
          text.push_back(c);
      }
      return text;
    };
    const std::string one = filled();
    const std::string other = filled();
    ASSERT_EQ(canonical_leaf(one), canonical_leaf(other)) << "DENDRO_SEED=" << leaf_seed() + round << "\n"
                                                          << one << "\n"
                                                          << other;
  }
}

TEST(CanonicalLeafProperty, ALeafsLeafIsItself) {
  for (const std::string_view body :
       {"Failed password for invalid user=root from 10.0.0.1 port 22 ssh2", "GET /a/b took 5 ms (7)",
        "Sun, 06 Nov at 5 PM", "\"\" is empty () <>", "open /etc/passwd: No such file.", "a:b \"c\" \"d\""}) {
    const std::string leaf = canonical_leaf(body);
    EXPECT_EQ(canonical_leaf(with_slots(leaf)), leaf) << body;
  }
}

TEST(CanonicalLeafProperty, AnyBytesWillDo) {
  for (std::uint64_t round = 0; round < 3000; ++round) {
    std::mt19937_64 random(leaf_seed() + round);
    std::string body(random() % 600, '\0');
    for (char& c : body) c = static_cast<char>(random());
    const std::vector<char> exact(body.begin(), body.end());  // so that ASan sees a read beyond it
    EXPECT_EQ(canonical_leaf({exact.data(), exact.size()}), canonical_leaf(body));
  }
}

TEST(CanonicalLeafProperty, LongLinesTakeLinearTimeAndMakeBoundedLeaves) {
  for (const std::string_view unit :
       {"a", ".", ":", "/", "a:", "a ", "()", "\"", "=", "a.", "5", "5,", "\x80", "a://"}) {
    std::string body;
    while (body.size() < 2'000'000) body += unit;
    EXPECT_LE(canonical_leaf(body).size(), (kLeafTokensMax + 1) * (kLeafTokenBytesMax + 2)) << unit;
  }
}

TEST(LeafId, IsKeyed) {
  EXPECT_EQ(leaf_id("a <*>", HashSeed(1)), leaf_id("a <*>", HashSeed(1)));
  EXPECT_NE(leaf_id("a <*>", HashSeed(1)), leaf_id("a <*>", HashSeed(2)));
  EXPECT_NE(leaf_id("a <*>", HashSeed(1)), leaf_id("b <*>", HashSeed(1)));
}

// ---- real logs ----

TEST(CanonicalLeafLoghub, LeavesByTextAndBySkeletonAgree) {
  const std::filesystem::path folder = "../shared/data/loghub";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << folder << " is not there (test data that may not be copied)";
  std::size_t lines = 0;
  std::size_t idempotent = 0;
  std::set<std::string> skeletons;
  std::set<std::string> leaves;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.path().string().ends_with("_2k.log")) continue;
    std::ifstream file(entry.path());
    for (std::string line; std::getline(file, line); ++lines) {
      const std::string skeleton = skeleton_of(line, kSlotMark);
      const std::string leaf = canonical_leaf(line);
      ASSERT_EQ(canonical_leaf(skeleton), leaf) << line;
      idempotent += canonical_leaf(with_slots(leaf)) == leaf ? 1 : 0;
      skeletons.insert(skeleton);
      leaves.insert(leaf);
    }
  }
  RecordProperty("lines", static_cast<int>(lines));
  std::printf("%zu lines, %zu skeletons, %zu leaves, %zu lines whose leaf is its own leaf\n", lines, skeletons.size(),
              leaves.size(), idempotent);
  EXPECT_LE(leaves.size(), skeletons.size());
  EXPECT_GE(idempotent * 100, lines * 99);
}

}  // namespace
}  // namespace dendro
