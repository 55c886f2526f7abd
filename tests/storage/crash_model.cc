#include "tests/storage/crash_model.h"

#include <atomic>
#include <cstdlib>
#include <future>
#include <map>
#include <random>
#include <set>

#include "filter/predicate.h"
#include "storage/tombstone.h"
#include "tests/storage/store_fixture.h"

namespace dendro {
namespace {

constexpr std::size_t kNever = SIZE_MAX;

/// What the plain model knows of the deletion of one record, in entries of the log.
struct ModelDeletion {
  std::size_t from = kNever;  ///< the call began: from here on it may be gone
  std::size_t by = kNever;    ///< the call ended: from here on it must be gone
};

/// What the plain model knows of one request.
struct ModelRequest {
  TenantId tenant = TenantId::default_tenant();
  std::vector<Bodies> batches;
  std::map<std::string, ModelDeletion> deletions;  ///< by body; none: it stays
  std::optional<BatchKey> key;
  bool is_key_dropped = false;  ///< with its tenant
  /// Entries of the log when it was acknowledged, or read after a restart. The committer's thread writes it.
  std::shared_ptr<std::atomic<std::size_t>> durable_at = std::make_shared<std::atomic<std::size_t>>(kNever);
  std::optional<CommitReply> reply;
};

class CrashModel {
 public:
  explicit CrashModel(const CrashModelOptions& options) : options_(options), random_(options.seed) {
    fixture_.options.wal_file_bytes = 4096 + random_() % 3 * 4096;
    fixture_.options.memtable_bytes_max = 12'000 + random_() % 40'000;
    fixture_.options.manifest_rewrite_bytes = 600;
    fixture_.options.compaction.fan_in = 2 + random_() % 3;
    fixture_.options.compacts_by_itself = random_() % 2 == 0;
    FileFaults faults;
    faults.ignore_syncs_of = options.ignore_syncs_of;
    fixture_.files->set_faults(faults);
  }

  std::optional<std::string> run() {
    if (!open()) return wrong_;
    for (int i = 0; i < options_.steps && !wrong_; ++i) step();
    fixture_.close();
    for (int i = 0; i < options_.cuts && !wrong_; ++i) cut_power();
    return wrong_;
  }

 private:
  std::uint64_t pick(std::uint64_t below) { return random_() % below; }

  void fail(const std::string& what) {
    if (!wrong_) wrong_ = "seed " + std::to_string(options_.seed) + ": " + what;
  }

  bool open() {
    const Status opened = fixture_.try_open();
    if (!opened) fail("does not open: " + opened.error().message());
    return opened.has_value();
  }

  void step() {
    const std::uint64_t choice = pick(30);
    if (choice >= 20) {
      maintain(choice - 20);
    } else if (choice < 12) {
      append_some(1);
    } else if (choice < 15) {
      append_some(2 + pick(6));
    } else if (choice < 17) {
      (void)fixture_.store->flush();
    } else if (choice < 18) {
      fixture_.close();
      reopen();
    } else {
      kill();
    }
  }

  /// Compaction, deletion by query, of a tenant, and by age.
  void maintain(std::uint64_t choice) {
    if (choice < 5) {
      check_done("compact", fixture_.store->compact(choice < 3 ? CompactionScope::due : CompactionScope::all_final));
    } else if (choice < 8) {
      delete_some_records();
    } else if (choice < 9) {
      const TenantId tenant = pick_tenant();
      const auto is_taken = [&](const ModelRequest& request, const std::string&) { return request.tenant == tenant; };
      const std::set<std::pair<std::size_t, std::string>> taken = begin_deletion(is_taken);
      for (const auto& [id, body] : taken) requests_[id].is_key_dropped = true;
      check_done("drop_tenant", fixture_.store->drop_tenant(tenant));
      end_deletion(taken);
    } else {
      drop_old_day();
    }
  }

  void check_done(const std::string& what, const Status& done) {
    if (!done) fail(what + ": " + done.error().message());
  }

  void delete_some_records() {
    const TenantId tenant = pick_tenant();
    const std::string text = std::to_string(pick(10)) + ".";  // requests whose number ends so, and parts of others
    TextPattern pattern;
    pattern.text = text;
    pattern.open_start = pattern.open_end = true;
    const auto is_taken = [&](const ModelRequest& request, const std::string& body) {
      return request.tenant == tenant && body.find(text) != std::string::npos;
    };
    const auto taken = begin_deletion(is_taken);
    const auto deleted = fixture_.store->delete_records(tenant, {}, Predicate{FieldTest{"body", pattern}});
    check_done("delete_records", deleted ? Status() : Status(deleted.error()));
    end_deletion(taken);
  }

  /// The second of the two days goes out of its time for a moment: as a day, or by a rule that all records match.
  void drop_old_day() {
    const auto is_taken = [](const ModelRequest&, const std::string& body) { return is_of_old_day(body); };
    const auto taken = begin_deletion(is_taken);
    check_done("flush", fixture_.store->flush());
    fixture_.close();
    RetentionRules& retention = fixture_.options.retention;
    if (pick(2) == 0) {
      retention.standard.max_age = std::chrono::hours(1);
    } else {
      const Predicate every{LabelTest{"service.name", "api"}};
      retention.streams = {{encode_tombstone_predicate(every).value(), std::chrono::hours(0)}};
    }
    if (open()) check_done("compact", fixture_.store->compact());
    fixture_.close();
    retention = {};
    reopen();
    end_deletion(taken);
  }

  /// Every other record of a batch stands in the older day; its number stands in the body.
  static bool is_of_old_day(const std::string& body) {
    const std::string record = body.substr(body.find('.', body.find('.') + 1) + 1);
    return (record[0] - '0') % 2 == 1;
  }

  template <typename IsTaken>
  std::set<std::pair<std::size_t, std::string>> begin_deletion(const IsTaken& is_taken) {
    std::set<std::pair<std::size_t, std::string>> taken;
    const std::size_t now = fixture_.files->log_size();
    for (std::size_t id = 0; id < requests_.size(); ++id) {
      for (const Bodies& bodies : requests_[id].batches) {
        for (const std::string& body : bodies) {
          if (!is_taken(requests_[id], body)) continue;
          taken.emplace(id, body);
          ModelDeletion& deletion = requests_[id].deletions[body];
          deletion.from = std::min(deletion.from, now);
        }
      }
    }
    return taken;
  }

  void end_deletion(const std::set<std::pair<std::size_t, std::string>>& taken) {
    const std::size_t now = fixture_.files->log_size();
    for (const auto& [id, body] : taken) {
      ModelDeletion& deletion = requests_[id].deletions[body];
      deletion.by = std::min(deletion.by, now);
    }
  }

  TenantId pick_tenant() {
    static const std::vector<TenantId> tenants = {TenantId::default_tenant(), make_tenant("other"),
                                                  make_tenant("Third")};
    return tenants[pick(tenants.size())];
  }

  std::size_t make_model_request() {
    const std::size_t id = requests_.size();
    ModelRequest request;
    request.tenant = pick_tenant();
    const std::uint64_t batches = pick(3) == 0 ? 1 + pick(4) : 1;
    for (std::uint64_t batch = 0; batch < batches; ++batch) {
      Bodies bodies;
      for (std::uint64_t i = 0, count = 1 + pick(4); i < count; ++i) {
        std::string body = std::to_string(id) + "." + std::to_string(batch) + "." + std::to_string(i) + ":";
        for (std::uint64_t fill = pick(4) == 0 ? pick(900) : pick(40); fill > 0; --fill) {
          body.push_back(static_cast<char>('!' + pick(90)));
        }
        bodies.push_back(std::move(body));
      }
      request.batches.push_back(std::move(bodies));
    }
    if (pick(3) == 0) request.key = make_key("key " + std::to_string(id));
    requests_.push_back(std::move(request));
    return id;
  }

  CommitRequest to_commit(const ModelRequest& model) {
    CommitRequest request;
    request.tenant = model.tenant;
    request.key = model.key;
    request.receive_time = kTestTime;
    for (const Bodies& bodies : model.batches) {
      std::vector<TestRecord> records;
      for (const std::string& body : bodies) {
        // Two days, times out of order, many of them equal.
        const std::int64_t offset =
            static_cast<std::int64_t>(body.size() % 5) * kNanosPerSecond + (is_of_old_day(body) ? kNanosPerDay : 0);
        records.push_back({body, Timestamp(kTestTime.number() - offset)});
      }
      request.accepted += bodies.size();
      request.batches.push_back(make_batch(records));
    }
    return request;
  }

  void append_some(std::uint64_t count) {
    std::vector<std::pair<std::size_t, std::future<Result<CommitReply>>>> waiting;
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::size_t id = !requests_.empty() && pick(8) == 0 ? pick(requests_.size()) : make_model_request();
      if (*requests_[id].durable_at != kNever && !requests_[id].key) continue;  // only keyed ones are sent again
      if (!requests_[id].deletions.empty()) continue;                           // they might come back
      auto promise = std::make_shared<std::promise<Result<CommitReply>>>();
      std::future<Result<CommitReply>> future = promise->get_future();
      const bool is_retry_without_key = !requests_[id].key && sent_.contains(id);
      if (is_retry_without_key) continue;
      sent_.insert(id);
      const auto durable_at = requests_[id].durable_at;
      const Status taken =
          fixture_.store->append(to_commit(requests_[id]), [this, durable_at, promise](Result<CommitReply> reply) {
            if (reply) note_durable(*durable_at);
            promise->set_value(std::move(reply));
          });
      if (taken) {
        waiting.emplace_back(id, std::move(future));
      } else if (taken.error().code() != ErrorCode::resource_exhausted) {
        fail("append: " + taken.error().message());
      }
    }
    for (auto& [id, future] : waiting) check_reply(id, future.get());
  }

  void note_durable(std::atomic<std::size_t>& durable_at) const {
    durable_at = std::min(durable_at.load(), fixture_.files->log_size());
  }

  void check_reply(std::size_t id, const Result<CommitReply>& reply) {
    if (!reply) return fail("append: " + reply.error().message());
    std::optional<CommitReply>& first = requests_[id].reply;
    if (!first) first = *reply;
    if (first->first_sequence != reply->first_sequence || first->accepted != reply->accepted) {
      fail("request " + std::to_string(id) + " was answered with another sequence number");
    }
  }

  /// The process dies: what it queued is lost, what it wrote is still in the page cache.
  void kill() {
    FileFaults dead;
    dead.fail_call = 1 + pick(4);  // between a write and its sync, too
    dead.fail_on = true;
    dead.ignore_syncs_of = options_.ignore_syncs_of;
    fixture_.files->set_faults(dead);
    for (std::uint64_t i = pick(3); i > 0; --i) {
      const std::size_t id = make_model_request();
      sent_.insert(id);
      const auto durable_at = requests_[id].durable_at;
      (void)fixture_.store->append(to_commit(requests_[id]), [this, durable_at](const Result<CommitReply>& reply) {
        if (reply) note_durable(*durable_at);
      });
    }
    fixture_.close();
    FileFaults alive;
    alive.ignore_syncs_of = options_.ignore_syncs_of;
    fixture_.files->set_faults(alive);
    reopen();
  }

  void reopen() {
    if (!open()) return;
    for (const std::size_t id : check(fixture_, kNever - 1, "reopened")) note_durable(*requests_[id].durable_at);
  }

  /// Compares a store with the model; gives the requests that are there. Those durable at `changes` must be.
  std::set<std::size_t> check(StoreFixture& fixture, std::size_t changes, const std::string& when) {
    std::map<std::string, int> found;
    std::size_t found_count = 0;
    for (const char* tenant : {"default", "other", "Third"}) {
      const auto snapshot = fixture.store->snapshot(make_tenant(tenant));
      const ScanOutcome outcome = run_scan(**snapshot);
      if (!outcome.errors.empty()) fail(when + ": " + outcome.errors.front().message());
      for (const std::string& body : outcome.bodies) ++found[std::string(tenant) + "/" + body];
      found_count += outcome.bodies.size();
    }
    std::set<std::size_t> present;
    std::size_t expected_count = 0;
    for (std::size_t id = 0; id < requests_.size(); ++id) {
      const std::size_t records = check_request(id, found, changes, when);
      if (records > 0) present.insert(id);
      expected_count += records;
    }
    if (!wrong_ && found_count != expected_count) fail(when + ": records that nobody sent");
    return present;
  }

  std::size_t check_request(std::size_t id, const std::map<std::string, int>& found, std::size_t changes,
                            const std::string& when) {
    std::size_t records = 0;
    std::size_t present = 0;
    std::size_t half_deleted = 0;
    for (const Bodies& bodies : requests_[id].batches) {
      for (const std::string& body : bodies) {
        const auto entry = found.find(requests_[id].tenant.text() + "/" + body);
        const auto deletion = requests_[id].deletions.find(body);
        if (deletion != requests_[id].deletions.end() && deletion->second.from <= changes) {
          if (entry == found.end()) continue;
          ++half_deleted;
          if (deletion->second.by <= changes)
            fail(when + ": record " + body.substr(0, 12) + " was deleted and is there");
          continue;
        }
        ++records;
        if (entry == found.end()) continue;
        ++present;
        if (entry->second > 1)
          fail(when + ": request " + std::to_string(id) + " is there " + std::to_string(entry->second) + " times");
      }
    }
    const bool must_be_there = *requests_[id].durable_at <= changes;
    if (must_be_there && records > 0 && present == 0)
      fail(when + ": request " + std::to_string(id) + " was acknowledged and is lost");
    if (present != 0 && present != records) fail(when + ": request " + std::to_string(id) + " is there in part");
    return present + half_deleted;
  }

  void cut_power() {
    const std::size_t changes = pick(fixture_.files->log_size() + 1);
    const std::string when =
        "power cut behind change " + std::to_string(changes) + " of " + std::to_string(fixture_.files->log_size());
    StoreFixture after;
    after.options = fixture_.options;
    after.files = fixture_.files->after_power_cut(changes, random_());
    const Status opened = after.try_open();
    if (!opened) return fail(when + ": does not open: " + opened.error().message());
    const std::set<std::size_t> present = check(after, changes, when);
    if (wrong_) return;
    const std::size_t recovered = after.files->log_size();
    retry_keys(after, changes, present, when);
    if (!after.append(make_request({{"after the cut"}}, make_tenant("fourth"))).has_value())
      return fail(when + ": takes no more writes");
    if (pick(2) == 0 && !after.store->flush().has_value()) return fail(when + ": does not flush");
    if (pick(2) == 0) check_done(when + ": compact", after.store->compact(CompactionScope::all_final));
    (void)check(after, changes, when + ", compacted");
    after.close();
    cut_power_again(after, changes, recovered, present, when);
  }

  static bool may_be_deleted(const ModelRequest& request, std::size_t changes) {
    for (const auto& [body, deletion] : request.deletions) {
      if (deletion.from <= changes) return true;
    }
    return false;
  }

  /// Every sender that had no answer sends again; those with keys must not be stored twice.
  void retry_keys(StoreFixture& after, std::size_t changes, const std::set<std::size_t>& present,
                  const std::string& when) {
    for (std::size_t id = 0; id < requests_.size() && !wrong_; ++id) {
      const ModelRequest& request = requests_[id];
      // A key outlives the records of its request.
      const bool must_be_known = *request.durable_at <= changes && !request.is_key_dropped;
      const bool is_stored = present.contains(id) && !may_be_deleted(request, changes);
      if (!request.key || (!must_be_known && !is_stored)) continue;
      const auto reply = after.append(to_commit(request));
      if (!reply) return fail(when + ": retry: " + reply.error().message());
      if (!reply->replayed) return fail(when + ": request " + std::to_string(id) + " was stored again");
      if (*request.durable_at <= changes && request.reply && reply->first_sequence != request.reply->first_sequence) {
        return fail(when + ": the retry of request " + std::to_string(id) + " was given another sequence number");
      }
    }
  }

  /// Power goes once more, during recovery or later: what a finished recovery showed must stay.
  void cut_power_again(StoreFixture& first, std::size_t first_changes, std::size_t recovered,
                       const std::set<std::size_t>& present, const std::string& first_when) {
    const std::size_t changes = pick(first.files->log_size() + 1);
    const std::string when = first_when + ", again behind change " + std::to_string(changes) + " of " +
                             std::to_string(first.files->log_size());
    StoreFixture after;
    after.options = fixture_.options;
    after.files = first.files->after_power_cut(changes, random_());
    const Status opened = after.try_open();
    if (!opened) return fail(when + ": does not open: " + opened.error().message());
    const std::set<std::size_t> still_present = check(after, first_changes, when);
    if (wrong_ || changes < recovered) return;
    for (const std::size_t id : present) {
      if (!still_present.contains(id) && !may_be_deleted(requests_[id], first_changes))
        fail(when + ": request " + std::to_string(id) + " was there after recovery and is lost");
    }
  }

  const CrashModelOptions options_;
  std::mt19937_64 random_;
  StoreFixture fixture_;
  std::vector<ModelRequest> requests_;
  std::set<std::size_t> sent_;
  std::optional<std::string> wrong_;
};

}  // namespace

std::optional<std::string> run_crash_model(const CrashModelOptions& options) {
  return CrashModel(options).run();
}

SeedRange seeds_from_environment(std::uint64_t count) {
  SeedRange range{1, count};
  if (const char* first = std::getenv("DENDRO_FIRST_SEED")) range.first = std::strtoull(first, nullptr, 10);
  if (const char* seeds = std::getenv("DENDRO_SEEDS")) range.count = std::strtoull(seeds, nullptr, 10);
  if (const char* seed = std::getenv("DENDRO_SEED")) range = {std::strtoull(seed, nullptr, 10), 1};
  return range;
}

}  // namespace dendro
