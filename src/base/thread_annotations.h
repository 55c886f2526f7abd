#pragma once

// Clang's thread-safety analysis (-Wthread-safety); nothing under other compilers.
#if defined(__clang__)
#define DENDRO_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define DENDRO_THREAD_ANNOTATION(x)
#endif

#define DENDRO_CAPABILITY(x) DENDRO_THREAD_ANNOTATION(capability(x))
#define DENDRO_SCOPED_CAPABILITY DENDRO_THREAD_ANNOTATION(scoped_lockable)
#define DENDRO_GUARDED_BY(x) DENDRO_THREAD_ANNOTATION(guarded_by(x))
#define DENDRO_REQUIRES(...) DENDRO_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
#define DENDRO_EXCLUDES(...) DENDRO_THREAD_ANNOTATION(locks_excluded(__VA_ARGS__))
#define DENDRO_ACQUIRE(...) DENDRO_THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
#define DENDRO_RELEASE(...) DENDRO_THREAD_ANNOTATION(release_capability(__VA_ARGS__))
#define DENDRO_NO_THREAD_SAFETY_ANALYSIS DENDRO_THREAD_ANNOTATION(no_thread_safety_analysis)
