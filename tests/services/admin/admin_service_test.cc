#include "services/admin/admin_service.h"

#include "base/json_document.h"
#include "tests/storage/store_fixture.h"

namespace dendro {
namespace {

const TenantId& kTenant = TenantId::default_tenant();

Result<PreparedDeletion> prepare(const std::string& query, const std::string& start = {}, const std::string& end = {}) {
  QueryFault fault;
  return prepare_deletion({query, start, end, kTestTime}, fault);
}

class AdminServiceTest : public testing::Test {
 protected:
  AdminServiceTest() {
    store_.open();
    open_service();
  }
  void open_service() {
    service_.reset();
    service_ = std::make_unique<AdminService>(*store_.store, store_.clock, store_.random, AdminOptions{"/backups"});
  }
  JobStatus wait_for_end(const Result<std::string>& id) {
    EXPECT_TRUE(id.has_value()) << id.error().message();
    while (service_->jobs().find(*id)->state == JobState::running) std::this_thread::yield();
    return *service_->jobs().find(*id);
  }
  StartedDeletion start(const std::string& query) {
    const auto deletion = prepare(query);
    EXPECT_TRUE(deletion.has_value()) << deletion.error().message();
    const auto started = service_->deletions().start(kTenant, *deletion, CancelToken());
    EXPECT_TRUE(started.has_value()) << started.error().message();
    return started.value();
  }

  StoreFixture store_;
  std::unique_ptr<AdminService> service_;
};

TEST_F(AdminServiceTest, QueuesGoWithABackupAsTheyAreAtOneMoment) {
  const auto open_queue = [this](const std::string& store) {
    return Spool::open({store + "/queue/alerts"}, *store_.files, store_.clock, store_.random).value();
  };
  const auto queue = open_queue(store_.options.directory);
  const auto send = [&queue](const char* body) {
    const QueueMessage message{body, {}};
    ASSERT_TRUE(queue->send({&message, 1}).has_value());
  };
  send("before");
  AdminOptions options{"/backups"};
  options.spools = {{"alerts", queue.get()}};
  // What moves into the queue waits until the queue's moment is fixed.
  options.hold_messages = [&send, &queue] {
    return std::shared_ptr<void>(static_cast<void*>(queue.get()), [&send](void*) { send("moved later"); });
  };
  service_ = std::make_unique<AdminService>(*store_.store, store_.clock, store_.random, std::move(options));
  EXPECT_EQ(wait_for_end(service_->start_backup("monday")).state, JobState::done);
  EXPECT_EQ(queue->depth()->waiting, 2u);
  EXPECT_TRUE(verify_backup("/backups/monday", *store_.files)->empty());
  ASSERT_TRUE(restore_store("/backups/monday", "/restored", *store_.files).has_value());
  const auto received = open_queue("/restored")->receive(10, std::chrono::seconds(30));
  ASSERT_EQ(received->size(), 1u);
  EXPECT_EQ(received->front().message.body, "before");
}

TEST_F(AdminServiceTest, VerifyReadsTheQueues) {
  const auto queue =
      Spool::open({store_.options.directory + "/queue/alerts"}, *store_.files, store_.clock, store_.random).value();
  const QueueMessage message{"a", {}};
  ASSERT_TRUE(queue->send({&message, 1}).has_value());
  AdminOptions options;
  options.spools = {{"alerts", queue.get()}};
  service_ = std::make_unique<AdminService>(*store_.store, store_.clock, store_.random, std::move(options));
  const auto result = [this] {
    return parse_json_document(wait_for_end(service_->start_verify()).result_json).value();
  };
  EXPECT_EQ(result().find("queue_messages")->as_int(), 1);
  EXPECT_EQ(result().find("undamaged")->as_bool(), true);
  store_.files->damage(store_.options.directory + "/queue/alerts/000001.q", 70);
  EXPECT_EQ(result().find("undamaged")->as_bool(), false);
}

TEST_F(AdminServiceTest, ADeletionIsPendingUntilNoFileHoldsIt) {
  ASSERT_TRUE(store_.append({"keep 1", "drop 1", "drop 2"}).has_value());
  ASSERT_TRUE(store_.store->flush().has_value());
  ASSERT_TRUE(store_.append({"drop 3"}).has_value());
  const auto deletion = prepare("drop", "", "2023-11-15");
  ASSERT_TRUE(deletion.has_value());
  const auto count = service_->deletions().count(kTenant, *deletion, CancelToken());
  ASSERT_TRUE(count.has_value());
  EXPECT_EQ(count->matched, 3u);
  EXPECT_TRUE(count->complete);
  EXPECT_EQ(store_.bodies().size(), 4u);  // counting deletes nothing
  const auto started = service_->deletions().start(kTenant, *deletion, CancelToken());
  ASSERT_TRUE(started.has_value());
  EXPECT_EQ(started->count.matched, 3u);
  EXPECT_EQ(store_.bodies(), (Bodies{"keep 1"}));
  std::vector<DeletionStatus> items = service_->deletions().list(kTenant);
  ASSERT_EQ(items.size(), 1u);
  EXPECT_EQ(items[0].id, started->id);
  EXPECT_EQ(items[0].query, "drop");
  EXPECT_EQ(items[0].range.last, Timestamp(1'700'006'400 * kNanosPerSecond));
  EXPECT_EQ(items[0].created, kTestTime);
  EXPECT_FALSE(items[0].is_done);
  EXPECT_TRUE(service_->deletions().list(TenantId::parse("other").value()).empty());
  EXPECT_EQ(wait_for_end(service_->start_compaction(CompactionScope::due)).state, JobState::done);
  items = service_->deletions().list(kTenant);
  ASSERT_EQ(items.size(), 1u);
  EXPECT_TRUE(items[0].is_done);
  EXPECT_EQ(items[0].query, "drop");
}

TEST_F(AdminServiceTest, PendingOnesOutliveTheProcessAndIdsAreGivenOnce) {
  ASSERT_TRUE(store_.append({"drop 1", "drop 2"}).has_value());
  const TombstoneId first = start("\"drop 1\"").id;
  service_.reset();
  store_.open();
  open_service();
  std::vector<DeletionStatus> items = service_->deletions().list(kTenant);
  ASSERT_EQ(items.size(), 1u);
  EXPECT_EQ(items[0].id, first);
  EXPECT_EQ(items[0].query, "\"drop 1\"");
  ASSERT_TRUE(store_.store->compact().has_value());
  EXPECT_TRUE(service_->deletions().list(kTenant).empty());  // nothing on the disk names what was deleted
  const TombstoneId second = start("\"drop 2\"").id;
  EXPECT_GT(second, first);
  EXPECT_EQ(service_->deletions().list(kTenant).size(), 1u);
}

TEST_F(AdminServiceTest, WhatAQueryDoesNotShowStays) {
  RecordBatchBuilder builder(kTestTime);
  builder.begin_record();
  builder.set_timestamp(kTestTime);
  builder.add_leaf(LeafRole::resource, "dendro.source", "dendro.source", Value::of_text("dead_letter"));
  builder.add_leaf(LeafRole::body, "body", "body", Value::of_text("refused"));
  builder.end_record();
  CommitRequest request;
  request.receive_time = kTestTime;
  request.batches = {builder.finish()};
  ASSERT_TRUE(store_.append(std::move(request)).has_value());
  ASSERT_TRUE(store_.append({"taken"}).has_value());
  EXPECT_EQ(start("*").count.matched, 1u);
  EXPECT_EQ(store_.bodies(), (Bodies{"refused"}));
  EXPECT_EQ(service_->deletions().list(kTenant).front().query, "*");
  EXPECT_EQ(start("dendro.source:=dead_letter").count.matched, 1u);
  EXPECT_EQ(store_.bodies(), Bodies());
}

TEST_F(AdminServiceTest, ADamagedPartMakesACountIncomplete) {
  ASSERT_TRUE(store_.append({"a"}).has_value());
  ASSERT_TRUE(store_.store->flush().has_value());
  ASSERT_TRUE(store_.append({"b"}).has_value());
  ASSERT_TRUE(store_.store->flush().has_value());
  service_.reset();
  store_.close();
  ASSERT_TRUE(store_.files->remove("/data/t/default/20231114/0000000000000001.seg").has_value());
  store_.open();
  open_service();
  const auto count = service_->deletions().count(kTenant, *prepare("*"), CancelToken());
  ASSERT_TRUE(count.has_value());
  EXPECT_EQ(count->matched, 1u);
  EXPECT_FALSE(count->complete);
}

TEST_F(AdminServiceTest, ACallerThatGoesAwayDeletesNothing) {
  ASSERT_TRUE(store_.append({"a"}).has_value());
  CancelToken cancel;
  cancel.cancel();
  EXPECT_EQ(service_->deletions().start(kTenant, *prepare("*"), cancel).error().code(), ErrorCode::cancelled);
  EXPECT_EQ(store_.bodies(), (Bodies{"a"}));
  EXPECT_TRUE(service_->deletions().list(kTenant).empty());
}

TEST(PrepareDeletion, TakesAFilterAndNothingElse) {
  const auto text_of = [](const std::string& query, const std::string& start = {}) {
    const auto refused = prepare(query, start);
    if (refused) return std::string("taken");
    EXPECT_EQ(refused.error().code(), ErrorCode::invalid_argument) << query;
    return refused.error().message();
  };
  for (const char* pipe : {"a | limit 3", "a | stats count() as n", "a | where b"}) {
    EXPECT_NE(text_of(pipe).find("a filter only"), std::string::npos) << text_of(pipe);
  }
  EXPECT_NE(text_of("_observed:>2020").find("_observed"), std::string::npos);
  EXPECT_NE(text_of("  ").find("* is every record"), std::string::npos);
  EXPECT_NE(text_of("a", "then").find("start"), std::string::npos);
  EXPECT_NE(text_of("a =").find("line 1"), std::string::npos);
  EXPECT_EQ(prepare("_time:1h a")->range.first, Timestamp(kTestTime.number() - 3'600 * kNanosPerSecond));
}

TEST_F(AdminServiceTest, BacksUpIntoItsFolderOnly) {
  ASSERT_TRUE(store_.append({"a"}).has_value());
  const JobStatus done = wait_for_end(service_->start_backup("monday"));
  ASSERT_EQ(done.state, JobState::done) << done.problem->message();
  EXPECT_EQ(done.done, done.total);
  EXPECT_NE(done.result_json.find(R"("directory":"/backups/monday")"), std::string::npos) << done.result_json;
  EXPECT_TRUE(verify_backup("/backups/monday", *store_.files)->empty());
  const JobStatus again = wait_for_end(service_->start_backup("/backups/monday"));
  EXPECT_EQ(again.state, JobState::failed);
  EXPECT_NE(again.problem->message().find("is not empty"), std::string::npos);
  EXPECT_EQ(service_->start_backup("/elsewhere").error().code(), ErrorCode::permission_denied);
}

TEST(BackupFolderOfAServer, StaysInsideTheOneThatIsAllowed) {
  const auto code = [](const std::string& allowed, const std::string& wanted) {
    return resolve_backup_folder(allowed, wanted).error().code();
  };
  EXPECT_EQ(resolve_backup_folder("/b", "x").value(), "/b/x");
  EXPECT_EQ(resolve_backup_folder("/b/", "x/y/../z/").value(), "/b/x/z");
  EXPECT_EQ(resolve_backup_folder("/b", "/b/x").value(), "/b/x");
  EXPECT_EQ(resolve_backup_folder("/", "x").value(), "/x");
  for (const char* outside : {"..", "../x", "x/../../y", "/bx/y", "/etc", "/"}) {
    EXPECT_EQ(code("/b", outside), ErrorCode::permission_denied) << outside;
  }
  for (const char* itself : {"", ".", "/b", "x/.."}) {
    EXPECT_EQ(code("/b", itself), ErrorCode::invalid_argument) << itself;
  }
  EXPECT_EQ(code("/b", std::string("x\0y", 3)), ErrorCode::invalid_argument);
  const auto none = resolve_backup_folder("", "x");
  EXPECT_EQ(none.error().code(), ErrorCode::permission_denied);
  EXPECT_NE(none.error().message().find("admin.backup_directory"), std::string::npos);
}

TEST_F(AdminServiceTest, VerifyTellsDamageInItsResult) {
  ASSERT_TRUE(store_.append({"a"}).has_value());
  ASSERT_TRUE(store_.store->flush().has_value());
  JobStatus job = wait_for_end(service_->start_verify());
  EXPECT_EQ(job.state, JobState::done);
  auto result = parse_json_document(job.result_json);
  EXPECT_EQ(result->find("undamaged")->as_bool(), true);
  EXPECT_EQ(result->find("records")->as_int(), 1);
  store_.files->damage("/data/t/default/20231114/0000000000000001.seg", 70);
  job = wait_for_end(service_->start_verify());
  EXPECT_EQ(job.state, JobState::done);
  result = parse_json_document(job.result_json);
  EXPECT_EQ(result->find("undamaged")->as_bool(), false);
  ASSERT_EQ(result->find("faults")->elements().size(), 1u);
  EXPECT_NE(result->find("faults")->elements()[0].as_string()->find(".seg: "), std::string_view::npos);
}

}  // namespace
}  // namespace dendro
