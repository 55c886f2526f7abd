#include "apps/admin_command.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <vector>

#include "apps/command_table.h"
#include "apps/text_table.h"
#include "base/clock.h"
#include "base/json_document.h"
#include "base/random.h"
#include "meta/meta_schema.h"
#include "record/record_batch_builder.h"
#include "storage/spool/spool.h"
#include "storage/store.h"
#include "tests/io/temporary_folder.h"

namespace dendro {
namespace {

struct AdminOutcome {
  int exit_code = 0;
  std::string out;
  std::string err;
};

class AdminCommand : public testing::Test {
 protected:
  AdminOutcome run(std::vector<std::string> args, const std::string& input = "", bool terminal = false) {
    args.insert(args.begin(), "admin");
    char* out_text = nullptr;
    char* err_text = nullptr;
    std::size_t out_size = 0;
    std::size_t err_size = 0;
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    EXPECT_EQ(::write(ends[1], input.data(), input.size()), static_cast<ssize_t>(input.size()));
    ::close(ends[1]);
    CommandIo io;
    io.in_fd = ends[0];
    io.out = ::open_memstream(&out_text, &out_size);
    io.err = ::open_memstream(&err_text, &err_size);
    io.err_is_terminal = terminal;
    AdminOutcome outcome;
    outcome.exit_code = run_command_line(args, io);
    std::fclose(io.out);
    std::fclose(io.err);
    ::close(ends[0]);
    outcome.out.assign(out_text, out_size);
    outcome.err.assign(err_text, err_size);
    std::free(out_text);
    std::free(err_text);
    return outcome;
  }

  /// A store with a segment and a record in the journal.
  std::string make_store() {
    const std::string directory = folder_.path("data");
    const std::unique_ptr<FileSystem> files = make_posix_file_system();
    SystemClock clock;
    SystemRandom random;
    StoreOptions options;
    options.directory = directory;
    options.wal_file_bytes = 64 << 10;
    options.wal_pool_files_max = 1;
    options.free_bytes_min = 0;
    options.free_share_min = 0;
    auto store = Store::open(options, *files, clock, random);
    EXPECT_TRUE(store.has_value()) << store.error().message();
    append(**store, 2'000);
    EXPECT_TRUE((*store)->flush().has_value());
    append(**store, 1);
    append(**store, 1);
    return directory;
  }
  static void append(Store& store, int count) {
    RecordBatchBuilder builder(Timestamp(1'700'000'000 * kNanosPerSecond));
    for (int i = 0; i < count; ++i) {
      builder.begin_record();
      builder.set_timestamp(Timestamp((1'700'000'000 + i) * kNanosPerSecond));
      builder.add_leaf(LeafRole::body, "body", "msg",
                       Value::of_text("GET /orders/" + std::to_string(i) + " took " + std::to_string(i % 90) +
                                      " ms from the client"));
      builder.end_record();
    }
    CommitRequest request;
    request.batches.push_back(builder.finish());
    request.accepted = static_cast<std::uint64_t>(count);
    EXPECT_TRUE(append_and_wait(store, std::move(request)).has_value());
  }
  std::string find(const std::string& directory, const std::string& suffix) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
      if (entry.path().string().ends_with(suffix)) return entry.path().string();
    }
    return "";
  }
  static void damage(const std::string& path, std::streamoff offset) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(offset);
    const char byte = static_cast<char>(file.get() ^ 1);
    file.seekp(offset);
    file.put(byte);
  }
  TemporaryFolder folder_;
};

TEST_F(AdminCommand, InspectsAllKindsOfFilesByTheirMagic) {
  const std::string data = make_store();
  const AdminOutcome segment = run({"inspect", find(data, ".seg")});
  EXPECT_EQ(segment.exit_code, 0) << segment.err;
  for (const std::string part : {"2,000", "DICT", "bytes of", "timestamps", "slot chunks"}) {
    EXPECT_NE(segment.out.find(part), std::string::npos) << part << "\n" << segment.out;
  }
  const AdminOutcome wal = run({"inspect", find(data, ".wal")});
  EXPECT_EQ(wal.exit_code, 0);
  EXPECT_NE(wal.out.find("WAL file"), std::string::npos);
  const AdminOutcome manifest = run({"inspect", find(data, "MANIFEST-000001")});
  EXPECT_EQ(manifest.exit_code, 0);
  EXPECT_NE(manifest.out.find("add segment: 1, tenant default"), std::string::npos) << manifest.out;
}

TEST_F(AdminCommand, InspectsAsJson) {
  const std::string data = make_store();
  for (const std::string& path : {find(data, ".seg"), find(data, ".wal"), find(data, "MANIFEST-000001")}) {
    const AdminOutcome outcome = run({"inspect", "-o", "json", path});
    EXPECT_EQ(outcome.exit_code, 0);
    const auto document = parse_json_document(outcome.out);
    EXPECT_TRUE(document.has_value()) << outcome.out;
  }
}

TEST_F(AdminCommand, InspectsADamagedFileAsFarAsItCan) {
  const std::string path = find(make_store(), ".seg");
  damage(path, 100);
  const AdminOutcome outcome = run({"inspect", path});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_NE(outcome.out.find("damaged: " + path), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("timestamps"), std::string::npos);
  const std::string other = folder_.write("x.txt", "hello");
  EXPECT_EQ(run({"inspect", other}).exit_code, 2);
  EXPECT_EQ(run({"inspect", "/no/such.seg"}).exit_code, 2);
}

TEST_F(AdminCommand, VerifiesAndNamesDamage) {
  const std::string data = make_store();
  const AdminOutcome clean = run({"verify", "--data", data});
  EXPECT_EQ(clean.exit_code, 0) << clean.out;
  EXPECT_EQ(clean.out, "");
  EXPECT_NE(clean.err.find("1 segments, 2,000 records in them"), std::string::npos) << clean.err;
  const std::string path = find(data, ".seg");
  damage(path, 100);
  const AdminOutcome damaged = run({"verify", "--data", data});
  EXPECT_EQ(damaged.exit_code, 1);
  EXPECT_EQ(damaged.out.find(path), 0u) << damaged.out;
  EXPECT_EQ(std::count(damaged.out.begin(), damaged.out.end(), '\n'), 1);
}

TEST_F(AdminCommand, BacksUpAndRestores) {
  const std::string data = make_store();
  EXPECT_EQ(run({"backup", "--data", data, "--to", folder_.path("b")}).exit_code, 0);
  EXPECT_EQ(run({"verify", "--backup", folder_.path("b")}).exit_code, 0);
  EXPECT_EQ(run({"restore", "--from", folder_.path("b"), "--data", data}).exit_code, 2);
  const AdminOutcome restored = run({"restore", "--from", folder_.path("b"), "--data", folder_.path("r")});
  EXPECT_EQ(restored.exit_code, 0) << restored.err;
  EXPECT_EQ(run({"verify", "--data", folder_.path("r")}).exit_code, 0);
  damage(find(folder_.path("b"), ".seg"), 90);
  EXPECT_EQ(run({"verify", "--backup", folder_.path("b")}).exit_code, 1);
  EXPECT_EQ(run({"restore", "--from", folder_.path("b"), "--data", folder_.path("r2")}).exit_code, 1);
}

/// A queue of a store with two dead letters, ids 1 and 2, and a message on its way.
class AdminDeadLetters : public AdminCommand {
 protected:
  AdminDeadLetters() : data_(make_store()) {
    const auto queue = open_queue();
    const QueueMessage messages[] = {{"first\x01", {{"receiver", "ops"}}}, {"second", {}}};
    EXPECT_TRUE(queue->send(messages).has_value());
    for (std::uint32_t i = 0; i < kQueueReceivesMax; ++i) {
      const auto received = queue->receive(10, std::chrono::seconds(30));
      for (const ReceivedMessage& one : *received) EXPECT_TRUE(queue->release({&one.receipt, 1}).has_value());
    }
    EXPECT_EQ(queue->depth()->dead, 2u);
    const QueueMessage later{"on its way", {}};
    EXPECT_TRUE(queue->send({&later, 1}).has_value());
  }
  std::unique_ptr<Spool> open_queue() {
    return Spool::open({data_ + "/queue/alerts"}, *files_, clock_, random_).value();
  }
  AdminOutcome letters(std::vector<std::string> args) {
    args.insert(args.begin(), "dead-letters");
    args.insert(args.end(), {"--data", data_});
    return run(std::move(args));
  }
  const std::unique_ptr<FileSystem> files_ = make_posix_file_system();
  SystemClock clock_;
  SystemRandom random_;
  const std::string data_;
};

TEST_F(AdminDeadLetters, AreListedAndShown) {
  const AdminOutcome queues = run({"queues", "--data", data_, "-o", "json"});
  EXPECT_EQ(queues.exit_code, 0) << queues.err;
  EXPECT_NE(queues.out.find(R"("name":"alerts","waiting":1,"leased":0,"dead_letters":2)"), std::string::npos)
      << queues.out;
  EXPECT_NE(run({"queues", "--data", data_}).out.find("dead letters"), std::string::npos);
  const AdminOutcome list = letters({"list", "alerts"});
  EXPECT_EQ(list.exit_code, 0) << list.err;
  EXPECT_NE(list.out.find("receiver=ops"), std::string::npos) << list.out;
  EXPECT_EQ(std::count(list.out.begin(), list.out.end(), '\n'), 3);
  EXPECT_EQ(parse_json_document(letters({"list", "alerts", "-o", "json"}).out)->elements().size(), 2u);
  const AdminOutcome shown = letters({"show", "alerts", "2"});
  EXPECT_EQ(shown.exit_code, 0) << shown.err;
  EXPECT_NE(shown.out.find("tries: 5\n\nsecond\n"), std::string::npos) << shown.out;
  EXPECT_NE(letters({"show", "alerts", "1", "-o", "json"}).out.find(R"("body":"first\u0001")"), std::string::npos);
}

TEST_F(AdminDeadLetters, AreRetriedAndDroppedForGood) {
  EXPECT_EQ(letters({"retry", "alerts", "2"}).out, "to be delivered again: 1\n");
  const AdminOutcome unasked = letters({"drop", "alerts", "--all"});
  EXPECT_EQ(unasked.exit_code, 1);
  EXPECT_NE(unasked.err.find("--yes"), std::string::npos) << unasked.err;
  EXPECT_EQ(letters({"drop", "alerts", "--all", "--yes"}).out, "dropped: 1\n");
  EXPECT_EQ(letters({"list", "alerts"}).out, "no message of alerts is a dead letter\n");
  const auto received = open_queue()->receive(10, std::chrono::seconds(30));
  ASSERT_EQ(received->size(), 2u);
  EXPECT_EQ((*received)[0].message.body, "second");
  EXPECT_EQ((*received)[0].receive_count, 1u);
}

TEST_F(AdminDeadLetters, WhatIsNamedWronglyIsSaid) {
  for (const std::vector<std::string>& args : std::vector<std::vector<std::string>>{{"list", "none"},
                                                                                    {"show", "alerts", "3"},
                                                                                    {"show", "alerts"},
                                                                                    {"retry", "alerts"},
                                                                                    {"drop", "alerts", "7", "--yes"},
                                                                                    {"retry", "alerts", "1", "--all"},
                                                                                    {"list", "alerts", "1"},
                                                                                    {"eat", "alerts"}}) {
    const AdminOutcome outcome = letters(args);
    EXPECT_EQ(outcome.exit_code, 2) << args[0] << ": " << outcome.out << outcome.err;
  }
  EXPECT_EQ(run({"queues", "--data", folder_.path("none")}).exit_code, 2);
  EXPECT_EQ(run({"queues", "--data", data_, "--server", "http://127.0.0.1:1"}).exit_code, 2);
  const auto lock = files_->lock(data_ + "/LOCK");
  ASSERT_TRUE(lock.has_value());
  const AdminOutcome held = run({"queues", "--data", data_});
  EXPECT_EQ(held.exit_code, 1);
  EXPECT_NE(held.err.find("stop the server"), std::string::npos) << held.err;
}

TEST_F(AdminDeadLetters, GoWithABackupWhichKeepsMetaToItsOwner) {
  {
    const auto meta = MetaDatabase::open(data_ + "/meta.db", meta_schema());
    ASSERT_TRUE(meta.has_value());
  }
  const std::string backup = folder_.path("b"), restored = folder_.path("r");
  EXPECT_EQ(run({"backup", "--data", data_, "--to", backup}).exit_code, 0);
  const AdminOutcome done = run({"restore", "--from", backup, "--data", restored});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  const auto access = std::filesystem::status(restored + "/meta.db").permissions();
  EXPECT_EQ(access, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  EXPECT_EQ(Spool::open({restored + "/queue/alerts"}, *files_, clock_, random_).value()->depth()->dead, 2u);
  for (const char* name : {"/meta.db", "/queue/alerts/000001.q"}) {
    damage(backup + name, 80);
    const AdminOutcome damaged = run({"verify", "--backup", backup});
    EXPECT_NE(damaged.out.find(name), std::string::npos) << damaged.out;
    damage(backup + name, 80);
  }
  std::filesystem::remove(backup + "/meta.db");
  EXPECT_EQ(run({"verify", "--backup", backup}).exit_code, 1);
}

TEST_F(AdminCommand, ABackupOfAnEarlierVersionBringsItsMetaDatabase) {
  const std::string data = make_store(), backup = folder_.path("b"), restored = folder_.path("r");
  EXPECT_EQ(run({"backup", "--data", data, "--to", backup}).exit_code, 0);
  std::ofstream(backup + "/meta.db") << "not listed";
  EXPECT_EQ(run({"restore", "--from", backup, "--data", restored}).exit_code, 0);
  EXPECT_EQ(std::filesystem::file_size(restored + "/meta.db"), 10u);
  const auto access = std::filesystem::status(restored + "/meta.db").permissions();
  EXPECT_EQ(access, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(AdminCommand, RepairsOnlyWhenTold) {
  const std::string data = make_store();
  EXPECT_EQ(run({"repair", "--data", data}).exit_code, 0);
  damage(find(data, "MANIFEST-000001"), 70);
  const AdminOutcome asked = run({"repair", "--data", data});
  EXPECT_EQ(asked.exit_code, 1);
  EXPECT_NE(asked.err.find("--yes"), std::string::npos);
  EXPECT_EQ(run({"repair", "--data", data, "--dry-run"}).exit_code, 0);
  EXPECT_EQ(find(data, ".damaged-1"), "");
  const AdminOutcome done = run({"repair", "--data", data, "--yes"});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_NE(done.out.find("repaired"), std::string::npos);
  EXPECT_NE(find(data, ".damaged-1"), "");
  EXPECT_EQ(run({"verify", "--data", data}).exit_code, 0);
}

TEST_F(AdminCommand, Compacts) {
  const std::string data = make_store();
  const AdminOutcome outcome = run({"compact", "--data", data, "--all"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("after: "), std::string::npos) << outcome.out;
  EXPECT_EQ(run({"verify", "--data", data}).exit_code, 0);
}

TEST_F(AdminCommand, DeletesOnlyWhenTold) {
  const std::string data = make_store();
  AdminOutcome outcome = run({"delete", "--data", data, "--dry-run", "\"/orders/7 \""});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "1 records match\n");
  outcome = run({"delete", "--data", data, "took"});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_EQ(outcome.out, "2,002 records match\n");
  EXPECT_NE(outcome.err.find("--yes"), std::string::npos) << outcome.err;
  outcome = run({"delete", "--data", data, "took"}, "y\n", true);  // a terminal to write to, none to read from
  EXPECT_EQ(outcome.exit_code, 1);
  outcome = run({"delete", "--data", data, "--yes", "--start", "2023-11-14T22:13:30Z", "took"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_TRUE(outcome.out.starts_with("1,990 records match\ndeleted")) << outcome.out;
  EXPECT_EQ(run({"delete", "--data", data, "--dry-run", "*"}).out, "12 records match\n");
  EXPECT_EQ(run({"compact", "--data", data}).exit_code, 0);
  EXPECT_EQ(run({"verify", "--data", data}).exit_code, 0);
  outcome = run({"delete", "--data", data, "--yes", "took | limit 1"});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_NE(outcome.err.find("a filter only"), std::string::npos) << outcome.err;
  outcome = run({"delete", "--data", data, "--yes", "took ("});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_NE(outcome.err.find("^"), std::string::npos) << outcome.err;
  EXPECT_EQ(run({"delete", "--data", data, "--dry-run", "*"}).out, "12 records match\n");
}

TEST_F(AdminCommand, AHeldFolderNamesTheOtherFlag) {
  const std::string data = make_store();
  const std::unique_ptr<FileSystem> files = make_posix_file_system();
  const auto lock = files->lock(data + "/LOCK");
  ASSERT_TRUE(lock.has_value());
  for (const std::vector<std::string>& args :
       std::vector<std::vector<std::string>>{{"verify", "--data", data},
                                             {"compact", "--data", data},
                                             {"backup", "--data", data, "--to", folder_.path("to")},
                                             {"delete", "--data", data, "--yes", "*"}}) {
    const AdminOutcome outcome = run(args);
    EXPECT_EQ(outcome.exit_code, 1) << args.front();
    EXPECT_NE(outcome.err.find("--server URL"), std::string::npos) << outcome.err;
  }
}

TEST_F(AdminCommand, WrongUseIsOneLineAndExitCode2) {
  for (const std::vector<std::string>& args :
       std::vector<std::vector<std::string>>{{},
                                             {"nothing"},
                                             {"verify"},
                                             {"verify", "--data", "/no/such"},
                                             {"repair", "--data", "/no/such"},
                                             {"backup", "--data", "x"},
                                             {"backup", "--to", "x"},
                                             {"compact"},
                                             {"compact", "--data", "x", "--server", "y"},
                                             {"verify", "--backup", "x", "--server", "y"},
                                             {"verify", "--server", "ftp://x"},
                                             {"delete", "*"},
                                             {"delete", "--data", "/no/such", "*"},
                                             {"delete", "--data", "x"},
                                             {"compact", "--data", "/no/such"},
                                             {"restore", "--from", "/no/such", "--data", folder_.path("x")},
                                             {"inspect"}}) {
    const AdminOutcome outcome = run(args);
    EXPECT_EQ(outcome.exit_code, 2) << testing::PrintToString(args) << outcome.err;
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
    EXPECT_EQ(outcome.out, "");
  }
  for (const std::string command : {"inspect", "verify", "repair", "backup", "restore", "compact", "delete"}) {
    const AdminOutcome help = run({command, "--help"});
    EXPECT_EQ(help.exit_code, 0);
    EXPECT_NE(help.out.find("Examples:"), std::string::npos);
    EXPECT_NE(help.out.find("dendro admin " + command), std::string::npos);
  }
}

TEST(TextTableText, AlignsAndGroups) {
  TextTable table({"a", "b"});
  table.add({"long", "1"});
  EXPECT_EQ(table.text(1), " a     b\n long  1\n");
  EXPECT_EQ(grouped_digits(0), "0");
  EXPECT_EQ(grouped_digits(1'234'567), "1,234,567");
  EXPECT_EQ(percent_text(1, 8), "12.5 %");
}

}  // namespace
}  // namespace dendro
