internal import Glibc
internal import LinuxSystem

/// What of this process's own program and libraries is resident.
public enum ResidentPages {
    /// Hands pages back that only the start of the program has needed: of mappings of files that are not written to, and
    /// of which no page is our own copy. What is needed again comes back from the page cache. Returns the bytes that
    /// were mapped there.
    ///
    /// The corresponding C function is `madvise` with MADV_DONTNEED.
    @discardableResult
    public static func handBack() -> Int {
        let bytes: [UInt8]
        do throws(Files.ReadError) {
            bytes = try Files.read("/proc/self/smaps", limit: 1 << 20)
        } catch {
            // It stays as large as it is.
            return 0
        }
        var sum = 0
        for range in pristine(String(decoding: bytes, as: UTF8.self)) {
            guard let start = UnsafeMutableRawPointer(bitPattern: range.lowerBound) else { continue }
            if madvise(start, range.count, MADV_DONTNEED) == 0 { sum += range.count }
        }
        return sum
    }

    /// The mappings of files, not writable and without a page of our own, in the text of `/proc/PID/smaps`.
    static func pristine(_ text: String) -> [Range<UInt>] {
        var found: [Range<UInt>] = []
        var current: Range<UInt>?
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.first == "Anonymous:" {
                // Pages that relocation has written to are ours alone, and nowhere else.
                if let range = current, words.dropFirst().first == "0" { found.append(range) }
                current = nil
            } else if words.count >= 5, words[0].contains("-") {
                let isFile = words.count >= 6 && words[5].hasPrefix("/")
                let ends = words[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
                let isRange = ends.count == 2 && ends[0] < ends[1]
                current = isFile && isRange && !words[1].contains("w") ? ends[0]..<ends[1] : nil
            }
        }
        return found
    }
}
