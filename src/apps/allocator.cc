// Settings of jemalloc, read by it at start: freed memory goes back to the system within a quarter of a second. With
// its defaults, and with glibc's allocator, a burst of ingestion stays in the process for good. One arena a core, not
// four: what one thread frees (a worker its batches) is what another then takes (the flusher), instead of new memory.
extern "C" {
extern const char* malloc_conf;
const char* malloc_conf = "background_thread:true,percpu_arena:percpu,dirty_decay_ms:250,muzzy_decay_ms:0";
}
