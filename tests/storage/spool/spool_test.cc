#include "storage/spool/spool.h"

#include <iostream>
#include <random>

#include "io/memory_file_system.h"
#include "tests/conformance/queue_suite.h"
#include "tests/io/temporary_folder.h"
#include "tests/storage/crash_model.h"

namespace dendro {
namespace {

class SpoolUnderTest final : public QueueUnderTest {
 public:
  SpoolUnderTest() {
    spool_ = Spool::open({folder_.path("queue"), std::uint64_t{1} << 20, 4096}, *files_, clock_, random_).value();
  }
  Queue& queue() override { return *spool_; }
  void advance(std::chrono::milliseconds span) override { clock_.advance(span); }

 private:
  TemporaryFolder folder_;
  std::unique_ptr<FileSystem> files_ = make_posix_file_system();
  ManualClock clock_{Timestamp(1'790'000'000'000'000'000)};
  SystemRandom random_;
  std::unique_ptr<Spool> spool_;
};

std::unique_ptr<QueueUnderTest> make_spool_under_test() {
  return std::make_unique<SpoolUnderTest>();
}

INSTANTIATE_TEST_SUITE_P(Spool, QueueSuite, testing::Values(&make_spool_under_test));

using Texts = std::vector<std::string>;
constexpr std::chrono::seconds kLease{30};

/// A spool in memory whose files end at a kibibyte.
struct SpoolFixture : testing::Test {
  std::unique_ptr<MemoryFileSystem> files = std::make_unique<MemoryFileSystem>(MemoryFileSystem::KeepLog::yes);
  ManualClock clock{Timestamp(1'790'000'000'000'000'000)};
  SystemRandom random;
  std::unique_ptr<Spool> spool;
  SpoolOptions options{"/queue/alerts", std::uint64_t{1} << 20, 1024};

  Status try_open() {
    spool.reset();
    auto opened = Spool::open(options, *files, clock, random);
    if (!opened) return opened.error();
    spool = std::move(*opened);
    return {};
  }
  void open() {
    const Status opened = try_open();
    ASSERT_TRUE(opened.has_value()) << opened.error().message();
  }
  void send(const Texts& bodies) {
    std::vector<QueueMessage> messages;
    for (const std::string& body : bodies) messages.push_back({body, {}});
    const auto sent = spool->send(messages);
    ASSERT_TRUE(sent.has_value()) << sent.error().message();
  }
  Texts receive(std::size_t count_max = 10) {
    last = spool->receive(count_max, kLease).value();
    Texts bodies;
    for (const ReceivedMessage& message : last) bodies.push_back(message.message.body);
    return bodies;
  }
  void acknowledge_last() {
    Texts receipts;
    for (const ReceivedMessage& message : last) receipts.push_back(message.receipt);
    ASSERT_EQ(spool->acknowledge(receipts).value(), receipts.size());
  }
  Texts names() { return files->list("/queue/alerts").value(); }
  std::vector<ReceivedMessage> last;
};

TEST_F(SpoolFixture, KeepsWhatIsNotDoneAcrossOpenings) {
  open();
  send({"a", "b"});
  send({"c"});
  EXPECT_EQ(receive(1), (Texts{"a"}));
  acknowledge_last();
  EXPECT_EQ(receive(1), (Texts{"b"}));
  const std::string receipt = last[0].receipt;
  clock.advance(std::chrono::seconds(1));
  open();
  EXPECT_EQ(spool->acknowledge({&receipt, 1}).value(), 0u) << "leases end with the process";
  EXPECT_EQ(receive(), (Texts{"b", "c"}));
  EXPECT_EQ(last[0].receive_count, 2u);
  EXPECT_EQ(last[1].receive_count, 1u);
  EXPECT_EQ(last[0].id, "2");
}

TEST_F(SpoolFixture, NumbersGoOnAfterEverythingIsDoneAndGone) {
  open();
  for (int i = 0; i < 40; ++i) {
    send({std::string(200, 'x')});
    receive();
    acknowledge_last();
  }
  EXPECT_LE(names().size(), 2u);
  open();
  send({"next"});
  EXPECT_EQ(receive(), (Texts{"next"}));
  EXPECT_EQ(last[0].id, "41");
}

TEST_F(SpoolFixture, DeadLettersOutliveOpeningsAndTheFilesTheyCameIn) {
  open();
  send({"poison"});
  for (int i = 0; i < 5; ++i) {
    ASSERT_EQ(receive(), (Texts{"poison"}));
    clock.advance(kLease);
  }
  EXPECT_TRUE(receive().empty());
  for (int i = 0; i < 40; ++i) {
    send({std::string(200, 'x')});
    receive();
    acknowledge_last();
  }
  EXPECT_EQ(names().front() == "000001.q", false) << "the first file is gone";
  EXPECT_LT(spool->disk_bytes(), 4096u);
  open();
  ASSERT_EQ(spool->dead_letters(10)->size(), 1u);
  EXPECT_EQ(spool->dead_letters(10)->front().message.body, "poison");
  EXPECT_EQ(spool->redrive().value(), 1u);
  open();
  EXPECT_EQ(receive(), (Texts{"poison"}));
  EXPECT_EQ(last[0].receive_count, 1u);
}

TEST_F(SpoolFixture, TheOldestDeadLettersGoBeyondAQuarterOfTheRoom) {
  options.bytes_max = 4000;
  open();
  send({std::string(600, 'a'), std::string(600, 'b')});
  for (int i = 0; i < 5; ++i) {
    receive();
    clock.advance(kLease);
  }
  EXPECT_EQ(spool->depth()->dead, 1u);
  EXPECT_EQ(spool->dead_letters(10)->front().message.body, std::string(600, 'b'));
}

TEST_F(SpoolFixture, CutsATornTailAndSaysHowLongItWas) {
  open();
  send({"kept"});
  const std::uint64_t whole = spool->disk_bytes();
  send({"torn"});
  const auto file = files->open_writable("/queue/alerts/000001.q", OpenMode::open_existing).value();
  ASSERT_TRUE(file->truncate(spool->disk_bytes() - 5).has_value());
  open();
  EXPECT_EQ(spool->disk_bytes(), whole);
  EXPECT_GT(spool->dropped_bytes(), 0u);
  EXPECT_EQ(receive(), (Texts{"kept"}));
  send({"later"});
  open();
  EXPECT_EQ(spool->dropped_bytes(), 0u);
  EXPECT_EQ(receive(), (Texts{"kept", "later"}));
}

TEST_F(SpoolFixture, NamesDamageInTheMiddle) {
  open();
  send({"first"});
  send({"second"});
  files->damage("/queue/alerts/000001.q", 64 + 48 + 3);
  const Status opened = try_open();
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code(), ErrorCode::corruption);
  EXPECT_NE(opened.error().message().find("000001.q: bad frame at offset 64"), std::string::npos)
      << opened.error().message();
}

TEST_F(SpoolFixture, DamageWhereAnotherFileFollowsIsNoTornTail) {
  open();
  for (int i = 0; i < 12; ++i) send({std::string(150, 'x')});
  ASSERT_GE(names().size(), 2u);
  const std::uint64_t size = (*files->open_reader("/queue/alerts/000001.q"))->size().value();
  files->damage("/queue/alerts/000001.q", size - 20);
  const Status opened = try_open();
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code(), ErrorCode::corruption);
  EXPECT_NE(opened.error().message().find("000001.q: offset"), std::string::npos) << opened.error().message();
}

TEST_F(SpoolFixture, AMissingFileIsNamed) {
  open();
  for (int i = 0; i < 24; ++i) send({std::string(150, 'x')});
  ASSERT_GE(names().size(), 3u);
  ASSERT_TRUE(files->remove("/queue/alerts/000002.q").has_value());
  EXPECT_NE(try_open().error().message().find("000002.q: the file is missing"), std::string::npos);
}

TEST_F(SpoolFixture, AMessageDamagedLaterIsDroppedAndTheOthersGoOn) {
  open();
  send({"first"});
  send({"second"});
  files->damage("/queue/alerts/000001.q", 64 + 48 + 3);
  EXPECT_EQ(receive(), (Texts{"second"}));
  acknowledge_last();
  EXPECT_EQ(spool->depth()->bytes, 0u);
}

TEST_F(SpoolFixture, AFullDiskTakesNothingAndGoesOnByItself) {
  open();
  send({"kept"});
  FileFaults faults;
  faults.space_bytes = 30;
  files->set_faults(faults);
  const QueueMessage message{"refused", {}};
  EXPECT_EQ(spool->send({&message, 1}).error().code(), ErrorCode::storage_full);
  EXPECT_EQ(receive(), (Texts{"kept"})) << "the count finds no room and is only remembered";
  files->set_faults({});
  send({"taken"});
  open();
  EXPECT_EQ(receive(), (Texts{"kept", "taken"}));
}

TEST_F(SpoolFixture, AFailedSyncStopsWritingUntilReopened) {
  open();
  send({"kept"});
  FileFaults faults;
  faults.fail_sync = 1;
  files->set_faults(faults);
  const QueueMessage message{"unknown", {}};
  EXPECT_EQ(spool->send({&message, 1}).error().code(), ErrorCode::io_error);
  EXPECT_EQ(spool->send({&message, 1}).error().code(), ErrorCode::unavailable);
  open();
  const Texts found = receive();
  ASSERT_GE(found.size(), 1u);
  EXPECT_EQ(found[0], "kept");
}

/// What a caller was told, step by step, and how long the log was then.
struct SpoolModel {
  struct Step {
    std::size_t log_size = 0;
    std::set<std::string> sent, done;  ///< acknowledged up to here
  };
  std::vector<Step> steps;

  const Step& before(std::size_t cut) const {
    const Step* found = &steps.front();
    for (const Step& step : steps) {
      if (step.log_size <= cut) found = &step;
    }
    return *found;
  }
  const Step& after(std::size_t cut) const {
    for (const Step& step : steps) {
      if (step.log_size > cut) return step;
    }
    return steps.back();
  }
};

SpoolModel run_random_work(MemoryFileSystem& files, const SpoolOptions& options, std::uint64_t seed) {
  std::mt19937_64 numbers(seed);
  ManualClock clock{Timestamp(1'790'000'000'000'000'000)};
  SystemRandom random;
  auto spool = Spool::open(options, files, clock, random).value();
  SpoolModel model;
  SpoolModel::Step step{files.log_size(), {}, {}};
  model.steps.push_back(step);
  std::vector<ReceivedMessage> held;
  int next = 0;
  // With odd seeds the first message stays while all others are soon done, so that files which hold it must go.
  const bool keeps_one = seed % 2 == 1;
  bool is_kept = false;
  for (int i = 0; i < 80; ++i) {
    auto choice = numbers() % 10;
    if (keeps_one && choice == 9) choice = 8;
    if (choice < 4) {
      std::vector<QueueMessage> messages(1 + numbers() % 3);
      for (QueueMessage& message : messages) {
        message.body = std::to_string(next++) + " " + std::string(numbers() % 700, 'x');
        step.sent.insert(message.body);
      }
      EXPECT_TRUE(spool->send(messages).has_value());
    } else if (choice < 6) {
      auto received = spool->receive(4, kLease);
      for (ReceivedMessage& one : *received) {
        if (!keeps_one || is_kept) held.push_back(std::move(one));
        is_kept = true;
      }
    } else if (choice < 9 && !held.empty()) {
      for (std::size_t count = keeps_one ? held.size() : 1; count > 0; --count) {
        const std::size_t at = numbers() % held.size();
        if (spool->acknowledge({&held[at].receipt, 1}).value() == 1) step.done.insert(held[at].message.body);
        held.erase(held.begin() + static_cast<std::ptrdiff_t>(at));
      }
    } else if (!keeps_one) {
      clock.advance(kLease);
    }
    step.log_size = files.log_size();
    model.steps.push_back(step);
  }
  return model;
}

/// Everything in it, received or dead, in order of ids.
Texts drain(Spool& spool) {
  std::map<std::uint64_t, std::string> all;
  const auto letters = spool.dead_letters(1000);
  for (const DeadLetter& letter : *letters) all[std::stoull(letter.id)] = letter.message.body;
  for (auto some = spool.receive(10, kLease); !some->empty(); some = spool.receive(10, kLease)) {
    for (const ReceivedMessage& one : *some) all[std::stoull(one.id)] = one.message.body;
  }
  Texts texts;
  for (const auto& [id, text] : all) texts.push_back(text);
  return texts;
}

/// Nothing that is wrong, or the first thing.
std::optional<std::string> compare(const SpoolModel& model, std::size_t cut, const Texts& found) {
  const auto& before = model.before(cut);
  const auto& after = model.after(cut);
  const std::set<std::string> there(found.begin(), found.end());
  if (there.size() != found.size()) return "a message is there twice";
  for (const std::string& body : before.sent) {
    if (!after.done.contains(body) && !there.contains(body)) return "lost: " + body.substr(0, 8);
  }
  int last = -1;
  for (const std::string& body : found) {
    if (!after.sent.contains(body)) return "never sent: " + body.substr(0, 8);
    if (before.done.contains(body)) return "done, but back: " + body.substr(0, 8);
    if (std::stoi(body) <= last) return "out of order: " + body.substr(0, 8);
    last = std::stoi(body);
  }
  return std::nullopt;
}

std::optional<std::string> run_spool_crash(std::uint64_t seed, const std::string& ignore_syncs_of) {
  const SpoolOptions options{"/queue/q", std::uint64_t{1} << 20, 2048};
  MemoryFileSystem files(MemoryFileSystem::KeepLog::yes);
  FileFaults faults;
  faults.ignore_syncs_of = ignore_syncs_of;
  files.set_faults(faults);
  const SpoolModel model = run_random_work(files, options, seed);
  std::mt19937_64 numbers(seed);
  ManualClock clock{Timestamp(1'790'000'000'000'000'000)};
  SystemRandom random;
  for (int i = 0; i < 12; ++i) {
    const std::size_t first = model.steps.front().log_size;
    const std::size_t cut = first + numbers() % (files.log_size() - first + 1);
    auto disk = files.after_power_cut(cut, numbers());
    for (int opening = 0; opening < 2; ++opening) {  // the second one after a cut right behind the first
      auto spool = Spool::open(options, *disk, clock, random);
      const std::string where = "seed " + std::to_string(seed) + ", cut at " + std::to_string(cut) + ": ";
      if (!spool) return where + spool.error().message();
      if (opening == 0) {
        spool->reset();
        disk = disk->after_power_cut(disk->log_size(), numbers());
        continue;
      }
      if (const auto wrong = compare(model, cut, drain(**spool))) return where + *wrong;
    }
  }
  return std::nullopt;
}

TEST(SpoolCrash, LosesNothingTakenAndBringsNothingDoneBack) {
  const SeedRange seeds = seeds_from_environment(150);
  std::cout << "seeds " << seeds.first << " to " << seeds.first + seeds.count - 1 << ", DENDRO_SEED takes one\n";
  for (std::uint64_t i = 0; i < seeds.count; ++i) {
    const auto wrong = run_spool_crash(seeds.first + i, "");
    ASSERT_FALSE(wrong.has_value()) << *wrong;
  }
}

/// A test that passes without a sync proves nothing about it.
class SpoolCrashWithout : public testing::TestWithParam<const char*> {};

TEST_P(SpoolCrashWithout, IsNoticed) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    if (const auto wrong = run_spool_crash(seed, GetParam())) {
      std::cout << "without syncs of " << GetParam() << ": " << *wrong << "\n";
      return;
    }
  }
  FAIL() << "100 seeds pass without the syncs of " << GetParam();
}

INSTANTIATE_TEST_SUITE_P(Syncs, SpoolCrashWithout, testing::Values(".q", ".q.tmp", "=/queue/q"));

}  // namespace
}  // namespace dendro
