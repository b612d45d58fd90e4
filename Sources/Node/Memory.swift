import CMalloc

/// How glibc's allocator is told to treat message bodies.
enum Memory {
    /// Keeps freed bodies for the next ones instead of giving their pages back each time.
    ///
    /// By default every body above 128 KiB is mapped and unmapped, and its pages faulted in anew:
    /// reading large bodies took twice as long.
    static func keepPages() {
        mallopt(M_MMAP_THRESHOLD, 32 << 20)
        mallopt(M_TRIM_THRESHOLD, 128 << 20)
    }
}
