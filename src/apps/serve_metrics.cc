#include "apps/serve_metrics.h"

#include "server/metric_text.h"

namespace dendro {

void append_store_metrics(std::string& out, const Store& store) {
  const StoreStats stats = store.stats();
  append_metric(out, "dendro_storage_records_committed_total", "counter", "records made durable since start",
                stats.records_committed);
  append_metric(out, "dendro_storage_groups_committed_total", "counter", "group commits (one sync each) since start",
                stats.groups_committed);
  append_metric(out, "dendro_storage_wal_written_bytes_total", "counter", "bytes written to the journal since start",
                stats.wal_bytes_written);
  append_metric(out, "dendro_storage_memtable_bytes", "gauge", "bytes of records not flushed into segments",
                stats.memtable_bytes);
  append_metric(out, "dendro_storage_memtable_records", "gauge", "records not flushed into segments",
                stats.memtable_records);
  append_metric(out, "dendro_storage_segments", "gauge", "live segments", stats.segment_count);
  append_metric(out, "dendro_storage_segment_bytes", "gauge", "bytes of live segments", stats.segment_bytes);
  append_metric(out, "dendro_storage_segment_records", "gauge", "records in live segments", stats.segment_records);
  append_metric(out, "dendro_storage_flushes_total", "counter", "memtables written into segments since start",
                stats.flushes);
  append_metric(out, "dendro_storage_compactions_total", "counter", "merges of segments since start",
                stats.compactions);
  append_metric(out, "dendro_storage_compaction_failures_total", "counter",
                "merges that failed and segments left out since start", stats.compaction_failures);
  append_metric(
      out, "dendro_storage_reencoded_row_groups_total", "counter",
      "row groups that did not come back from their encoding and were stored plainly, since start; above 0 is a fault",
      stats.reencoded_row_groups);
  append_metric(out, "dendro_storage_compaction_read_bytes_total", "counter",
                "bytes of segment files read by merges since start", stats.compaction_bytes_read);
  append_metric(out, "dendro_storage_compaction_written_bytes_total", "counter",
                "bytes of segment files written by merges since start", stats.compaction_bytes_written);
  append_metric(out, "dendro_storage_days_dropped_total", "counter", "days of tenants dropped by retention since start",
                stats.days_dropped);
  append_metric(out, "dendro_storage_records_deleted_total", "counter",
                "records taken out of files by deletions since start", stats.records_deleted);
  append_metric(out, "dendro_storage_live_tombstones", "gauge", "deletions that files do not follow yet",
                stats.live_tombstones);
  append_metric(out, "dendro_storage_batches_replayed_total", "counter",
                "requests answered by their retry key since start", stats.batches_replayed);
  append_metric(out, "dendro_storage_accepts_writes", "gauge", "1 while records are taken",
                store.health().accepts_writes ? 1 : 0);
}

void append_query_metrics(std::string& out, const RunningQueries& queries) {
  const QueryTotals totals = queries.totals();
  append_metric(out, "dendro_queries_running", "gauge", "queries that run now", totals.running);
  append_metric(out, "dendro_queries_total", "counter", "queries that ended since start", totals.ended);
  append_metric(out, "dendro_queries_slow_total", "counter", "queries over query.slow_after since start", totals.slow);
  append_metric(out, "dendro_queries_cancelled_total", "counter", "queries whose caller left, or an operator ended",
                totals.cancelled);
  append_metric(out, "dendro_queries_timed_out_total", "counter", "queries that ran out of their time",
                totals.timed_out);
  append_metric(out, "dendro_queries_scanned_records_total", "counter", "records that queries looked at",
                totals.scanned_records);
  append_metric(out, "dendro_queries_scanned_bytes_total", "counter", "bytes of records that queries looked at",
                totals.scanned_bytes);
  append_metric(out, "dendro_queries_milliseconds_total", "counter", "time of ended queries, added up",
                static_cast<std::uint64_t>(totals.seconds * 1e3));
}

void append_privacy_metrics(std::string& out, const PrivacyService& privacy) {
  const PrivacyService::Totals totals = privacy.totals();
  append_metric(out, "dendro_privacy_records_masked_total", "counter", "records that masking rules changed since start",
                totals.records_masked);
  append_metric(out, "dendro_privacy_refused_requests_total", "counter",
                "requests that were refused because they could not be masked, since start", totals.refused_requests);
  append_metric(out, "dendro_privacy_tokens_unmasked_total", "counter", "values of tokens that were told since start",
                totals.tokens_unmasked);
}

void append_tenant_metrics(std::string& out, TenantMeters& meters) {
  const auto labels = meters.read();
  const auto append = [&](std::string_view name, std::string_view help, std::uint64_t TenantMeters::Counts::* count) {
    append_metric_head(out, name, "counter", help);
    for (const auto& [tenant, counts] : labels) append_labelled_metric(out, name, "tenant", tenant, counts.*count);
  };
  append("dendro_tenant_ingested_records_total", "records handed to the journal since start, repeats among them",
         &TenantMeters::Counts::records);
  append("dendro_tenant_ingested_bytes_total", "bytes of those records as they are encoded there",
         &TenantMeters::Counts::bytes);
  append("dendro_tenant_queries_total", "queries that were let in since start", &TenantMeters::Counts::queries);
  append("dendro_tenant_refused_requests_total", "requests over a quota of the tenant since start",
         &TenantMeters::Counts::refusals);
}

}  // namespace dendro
