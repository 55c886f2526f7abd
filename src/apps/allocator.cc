// Settings of jemalloc, read by it at start: freed memory goes back to the system within seconds. With its defaults,
// and with glibc's allocator, a burst of ingestion stays in the process for good.
extern "C" {
extern const char* malloc_conf;
const char* malloc_conf = "background_thread:true,dirty_decay_ms:2000,muzzy_decay_ms:0";
}
