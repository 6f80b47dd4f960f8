public import LinuxProcess
public import LinuxSystem
public import Measurement

/// The names a just-in-time compiler gives its code: the text of `/tmp/perf-PID.map`, a line for each function
/// with start and size in hexadecimal and a name that may hold spaces.
///
/// Anyone who can write to `/tmp` may have written it: lines are counted and cut, and names made safe to show.
public struct PerfMap: Sendable {
    /// A function of the map.
    public struct Function: Hashable, Sendable {
        /// Its name, safe to show.
        public var name: String
        public var start: RuntimeAddress
        /// Its size in bytes.
        public var size: UInt64
    }

    /// Lines that were no entries: wrong numbers, no name, a size of zero, or beyond the limits.
    public let rejectedLines: Int
    /// Entries accepted, those later ones replaced included.
    public let acceptedLines: Int

    private let functions: IntervalTable<Function>

    /// The most bytes read of such a file, and the most entries kept.
    public static let byteLimit = 256 << 20
    static let entryLimit = 4_000_000
    private static let nameLimit = 4096

    /// Reads the text of a map.
    public init(_ text: some Sequence<UInt8>) {
        self.init(bytes: Array(text))
    }

    /// Reads the map of a process; nil where it has none.
    public static func ofProcess(_ pid: Int32, directory: String = "/tmp") throws(Files.ReadError) -> PerfMap?
    {
        let path = "\(directory)/perf-\(pid).map"
        guard Files.isRegularFile(path) else { return nil }
        return PerfMap(bytes: try Files.read(path, limit: byteLimit))
    }

    /// Reads the map of a process that only one user may have written; nil where there is none.
    ///
    /// - Parameters:
    ///   - pid: The process, as `/proc` numbers it.
    ///   - owner: The user the process runs as.
    ///   - notBefore: When the process, or the first of those it may be, was started: an older file is that of an
    ///     earlier process with the same number.
    ///   - directory: Where such files are.
    ///   - isOwnView: Whether the directory is the process's own, in its container.
    ///   - number: The process's number in the file's name, where the process itself knows another one.
    public static func ofProcess(
        _ pid: Int32, owner: UInt32, notBefore: Timestamp?, directory: String = "/tmp", number: Int32? = nil,
        isOwnView: Bool = false
    ) throws(Files.ReadError) -> PerfMap? {
        let links: FileTrust.Links = isOwnView ? .noneInRoot(ofProcess: pid) : .notLast
        do throws(Files.ReadError) {
            return PerfMap(
                bytes: try Files.read(
                    "\(directory)/perf-\(number ?? pid).map",
                    FileTrust(links, owner: owner, notBefore: notBefore), limit: byteLimit))
        } catch {
            if error.isNotFound { return nil }
            throw error
        }
    }

    /// The function at an address of the process.
    public func function(at address: RuntimeAddress) -> Function? {
        functions.entry(holding: address.value)?.payload
    }

    private init(bytes: [UInt8]) {
        var rejected = 0
        var entries: [Function] = []
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            guard entries.count < Self.entryLimit, let function = Self.function(in: line) else {
                rejected += 1
                continue
            }
            entries.append(function)
        }
        rejectedLines = rejected
        acceptedLines = entries.count
        functions = IntervalTable(Self.withoutReplaced(entries))
    }

    /// The entries as ranges that do not overlap: a compiler reuses memory, so what was written later covers what
    /// was there before, wholly or in part.
    private static func withoutReplaced(_ entries: [Function]) -> [IntervalTable<Function>.Entry] {
        // A sweep over all edges; the latest of the entries that are open at a place owns it.
        var edges: [(address: UInt64, order: Int, isStart: Bool)] = []
        edges.reserveCapacity(entries.count * 2)
        for (order, function) in entries.enumerated() {
            edges.append((function.start.value, order, true))
            edges.append((function.start.value + function.size, order, false))
        }
        edges.sort { $0.address < $1.address }
        var result: [IntervalTable<Function>.Entry] = []
        var open = LatestFirstQueue()
        var isClosed = [Bool](repeating: false, count: entries.count)
        var previous: UInt64 = 0
        for edge in edges {
            while let latest = open.latest, isClosed[latest] { open.removeLatest() }
            if let latest = open.latest, previous < edge.address {
                result.append(.init(low: previous, high: edge.address, payload: entries[latest]))
            }
            previous = edge.address
            if edge.isStart { open.insert(edge.order) } else { isClosed[edge.order] = true }
        }
        return result
    }

    private static func function(in line: ArraySlice<UInt8>) -> Function? {
        let fields = line.split(separator: UInt8(ascii: " "), maxSplits: 2)
        guard fields.count == 3, let start = number(fields[0]), let size = number(fields[1]), size > 0,
            !start.addingReportingOverflow(size).overflow
        else { return nil }
        let name = DisplayText.safe(String(decoding: fields[2].prefix(nameLimit), as: UTF8.self))
        return Function(name: name, start: RuntimeAddress(start), size: size)
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> UInt64? {
        let text = String(decoding: digits.prefix(20), as: UTF8.self)
        guard digits.count <= 18, text.first != "+", text.first != "-" else { return nil }
        return UInt64(text.hasPrefix("0x") ? text.dropFirst(2) : text[...], radix: 16)
    }
}

/// A binary heap of entry numbers with the greatest on top.
private struct LatestFirstQueue {
    private var heap: [Int] = []

    var latest: Int? { heap.first }

    mutating func insert(_ number: Int) {
        heap.append(number)
        var index = heap.count - 1
        while index > 0, heap[(index - 1) / 2] < heap[index] {
            heap.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    mutating func removeLatest() {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var index = 0
        while true {
            let children = [2 * index + 1, 2 * index + 2].filter { $0 < heap.count }
            guard let largest = children.max(by: { heap[$0] < heap[$1] }), heap[largest] > heap[index] else {
                return
            }
            heap.swapAt(index, largest)
            index = largest
        }
    }
}
