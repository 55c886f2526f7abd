#include "storage/spool/spool.h"

#include <iostream>
#include <random>

#include "io/memory_file_system.h"
#include "storage/spool/spool_verify.h"
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

TEST_F(SpoolFixture, OnAFullDiskWhatIsAcknowledgedDoesNotComeBack) {
  open();
  send({"done", "left"});
  ASSERT_EQ(receive(1), (Texts{"done"}));
  FileFaults faults;
  faults.space_bytes = 0;
  files->set_faults(faults);
  EXPECT_EQ(spool->acknowledge({&last[0].receipt, 1}).error().code(), ErrorCode::storage_full);
  clock.advance(kLease);
  EXPECT_EQ(receive(), (Texts{"left"})) << "it is done as far as this process goes";
  EXPECT_EQ(spool->depth()->waiting + spool->depth()->leased, 1u);
  files->set_faults({});
  clock.advance(kLease);
  EXPECT_EQ(receive(), (Texts{"left"}));  // the count of this receive finds room, and what is owed goes with it
  open();
  EXPECT_EQ(receive(), (Texts{"left"}));
  EXPECT_EQ(last[0].receive_count, 3u) << "the count that found no room counts";
}

TEST_F(SpoolFixture, OnAFullDiskAMessageCanStillDie) {
  open();
  send({"poison", "other"});
  for (int i = 0; i < 5; ++i) {
    ASSERT_EQ(receive(1), (Texts{"poison"}));
    clock.advance(kLease);
  }
  FileFaults faults;
  faults.space_bytes = 0;
  files->set_faults(faults);
  EXPECT_EQ(receive(), (Texts{"other"}));
  EXPECT_EQ(spool->depth()->dead, 1u);
  files->set_faults({});
  open();
  EXPECT_EQ(receive(), (Texts{"other"}));
  EXPECT_EQ(spool->dead_letters(10)->size(), 1u);
}

TEST_F(SpoolFixture, AFileThatCannotBeReadJustNowLosesNothing) {
  open();
  send({"a"});
  FileFaults faults;
  faults.fail_reads_of = ".q";
  files->set_faults(faults);
  for (int i = 0; i < 9; ++i) {
    EXPECT_EQ(spool->receive(1, kLease).error().code(), ErrorCode::io_error);
    clock.advance(kLease);
  }
  files->set_faults({});
  EXPECT_EQ(receive(), (Texts{"a"}));
  EXPECT_EQ(last[0].receive_count, 1u) << "tries without a message are none";
}

TEST_F(SpoolFixture, WhatIsHeldStaysAsItIsWhileMessagesComeAndGo) {
  open();
  for (int i = 0; i < 20; ++i) send({std::string(200, 'x')});
  std::vector<FoundSpoolFile> held;
  {
    const Spool::Hold hold(*spool);
    held = hold.files();
    ASSERT_GE(held.size(), 3u);
    for (int i = 0; i < 4; ++i) {
      receive();
      if (!last.empty()) acknowledge_last();
      send({"later"});
    }
    EXPECT_EQ(names().front(), "000001.q");
    const auto report = verify_spool("/queue/alerts", *files, &hold.files());
    ASSERT_TRUE(report.has_value());
    EXPECT_FALSE(report->fault.has_value()) << report->fault->text();
    EXPECT_EQ(report->messages, 20u) << "as of the moment of the hold";
  }
  receive();
  acknowledge_last();
  EXPECT_NE(names().front(), "000001.q") << "what was held goes with the next acknowledgement";
}

TEST_F(SpoolFixture, VerifyNamesDamageAndCountsWhatIsNotDone) {
  open();
  send({"a", "b", "c"});
  receive(1);
  acknowledge_last();
  auto report = verify_spool("/queue/alerts", *files);
  ASSERT_TRUE(report.has_value());
  EXPECT_FALSE(report->fault.has_value());
  EXPECT_EQ(report->messages, 2u);
  const auto file = files->open_writable("/queue/alerts/000001.q", OpenMode::open_existing).value();
  const std::string_view torn = "torn";
  ASSERT_TRUE(file->write_at(spool->disk_bytes(), {&torn, 1}).has_value());
  report = verify_spool("/queue/alerts", *files);
  EXPECT_EQ(report->torn_tail_bytes, 4u);
  EXPECT_FALSE(report->fault.has_value());
  files->damage("/queue/alerts/000001.q", 64 + 48 + 12);
  report = verify_spool("/queue/alerts", *files);
  ASSERT_TRUE(report->fault.has_value());
  EXPECT_NE(report->fault->text().find("000001.q: bad frame at offset 64"), std::string::npos) << report->fault->text();
}

/// A file as version 1 wrote it: messages have no time.
TEST_F(SpoolFixture, ReadsFilesOfVersionOneAndGoesOnInOneOfItsOwn) {
  const SpoolHeader header{Bytes16{7}, WalNumber(1), Timestamp(123), QueueMessageId(1), 1};
  std::string old, payload;
  append_spool_message(old, {{"old", {{"to", "ops"}}}, Timestamp()});
  old.erase(0, sizeof(std::int64_t));
  append_sized(payload, old);
  append_sized(payload, old);
  std::string bytes = encode_spool_header(header);
  const HashSeed seed = wal_seed(header.queue_id, header.number);
  bytes += seal_spool_frame({SpoolFrameKind::messages, QueueMessageId(1), 2, 64}, payload, header.number, seed);
  const SpoolStateRow dead{QueueMessageId(1), SpoolState::dead, 5};
  std::string kept = encode_spool_states({&dead, 1}) + old;
  bytes += seal_spool_frame({SpoolFrameKind::kept, QueueMessageId(3), 0, 64}, kept, header.number, seed);
  ASSERT_TRUE(files->create_directories("/queue/alerts").has_value());
  const auto file = files->open_writable("/queue/alerts/000001.q", OpenMode::create_new).value();
  const std::string_view part = bytes;
  ASSERT_TRUE(file->write_at(0, {&part, 1}).has_value());
  for (int opening = 0; opening < 2; ++opening) {
    open();
    EXPECT_EQ(names(), (Texts{"000001.q", "000002.q"}));
    EXPECT_EQ(spool->depth()->oldest, Timestamp(123));
    EXPECT_EQ(receive(), (Texts{"old"}));
    EXPECT_EQ(last[0].message.attributes.front().second, "ops");
    EXPECT_EQ(spool->dead_letter("1")->message.body, "old");
  }
  EXPECT_EQ(spool->drop().value(), 1u);
  acknowledge_last();
  EXPECT_EQ(names(), (Texts{"000002.q"}));
  EXPECT_EQ(spool->depth()->bytes, 0u);
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

/// The oldest that nobody holds is a dead letter then.
void wear_out_one(Spool& spool) {
  for (std::uint32_t i = 0; i < kQueueReceivesMax; ++i) {
    const auto received = spool.receive(1, kLease);
    if (received->empty()) return;
    EXPECT_EQ(spool.release({&received->front().receipt, 1}).value(), 1u);
  }
}

/// Puts one back or drops one, or all. What is dropped is done.
void work_on_dead_letters(Spool& spool, std::mt19937_64& numbers, std::set<std::string>& done) {
  const auto letters = spool.dead_letters(100);
  if (letters->empty()) return;
  const bool is_all = numbers() % 3 == 0;
  const DeadLetter& one = (*letters)[numbers() % letters->size()];
  const auto id = is_all ? std::nullopt : std::optional<std::string_view>(one.id);
  if (numbers() % 2 == 0) {
    EXPECT_EQ(spool.redrive(id).value(), is_all ? letters->size() : 1u);
    return;
  }
  EXPECT_EQ(spool.drop(id).value(), is_all ? letters->size() : 1u);
  for (const DeadLetter& letter : *letters) {
    if (is_all || letter.id == one.id) done.insert(letter.message.body);
  }
}

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
    auto choice = numbers() % (keeps_one ? 10 : 13);
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
    } else if (choice >= 12) {
      work_on_dead_letters(*spool, numbers, step.done);
    } else if (choice >= 10) {
      wear_out_one(*spool);
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
