internal import LinuxProcess

/// The executable memory of one process, sorted by address, without overlaps.
///
/// The kernel reports what is mapped, never what is unmapped: a new mapping replaces whatever lay there.
struct ModuleTable: Equatable {
    /// One range.
    struct Module: Equatable {
        var start: UInt64
        var end: UInt64
        /// What the loader has added to the image's addresses, nil where it could not be determined.
        var bias: UInt64?
        /// Index into the image store, nil for memory without a file.
        var imageIndex: Int?
    }

    private(set) var modules: [Module] = []

    /// The most ranges kept of one process.
    static let limit = 1 << 16

    /// Adds a range in place of what it overlaps. Returns whether that changed what was known about an address,
    /// after which remembered call-frame information is stale (L9).
    @discardableResult
    mutating func insert(_ module: Module) -> Bool {
        guard module.start < module.end else { return false }
        let first = firstIndex(endingAfter: module.start)
        var last = first
        var remains: [Module] = []
        var isReplacement = false
        while last < modules.count, modules[last].start < module.end {
            let old = modules[last]
            if old == module { return false }
            isReplacement = isReplacement || old.bias != module.bias || old.imageIndex != module.imageIndex
            if old.start < module.start { remains.append(old.with(end: module.start)) }
            if old.end > module.end { remains.append(old.with(start: module.end)) }
            last += 1
        }
        var replacement = remains.filter { $0.end <= module.start }
        replacement.append(module)
        replacement += remains.filter { $0.start >= module.end }
        guard modules.count + replacement.count - (last - first) <= Self.limit else { return false }
        modules.replaceSubrange(first..<last, with: replacement)
        return isReplacement
    }

    private func firstIndex(endingAfter address: UInt64) -> Int {
        var low = 0
        var high = modules.count
        while low < high {
            let middle = (low + high) / 2
            if modules[middle].end <= address { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension ModuleTable.Module {
    fileprivate func with(start: UInt64? = nil, end: UInt64? = nil) -> ModuleTable.Module {
        var copy = self
        copy.start = start ?? copy.start
        copy.end = end ?? copy.end
        return copy
    }
}
