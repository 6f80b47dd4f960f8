internal import CLinux
internal import Glibc
public import LinuxSystem
public import Measurement

/// What the kernel says of a process when it ends.
public struct TaskExit: Equatable, Sendable {
    /// The thread that ended: the process's identifier for its main one.
    public var pid: Int32
    /// Who had started the process.
    public var parent: Int32
    /// Its name, at most 15 bytes: untrusted text.
    public var name: String
    /// The most it had resident since its mark was last reset.
    public var peakResident: ByteCount

    /// An end.
    public init(pid: Int32, parent: Int32, name: String = "", peakResident: ByteCount) {
        self.pid = pid
        self.parent = parent
        self.name = name
        self.peakResident = peakResident
    }
}

/// Hears of every process of the machine that ends, with the most memory that it had: also of those that begin and end
/// between two looks at a process tree.
///
/// The kernel interface is taskstats; it takes CAP_NET_ADMIN in the first network and user namespaces.
public struct TaskExits: ~Copyable {
    private let socket: FileDescriptor
    /// Whether ends were lost because they came faster than they were read.
    public private(set) var hasLost = false

    /// Begins to listen.
    public init() throws(SystemError) {
        let processors: [UInt8]
        do throws(Files.ReadError) {
            processors = try Files.read("/sys/devices/system/cpu/possible", limit: 4096)
        } catch {
            throw SystemError(action: "read which processors there are", code: ENOENT)
        }
        let text = String(decoding: processors.prefix { $0 > 0x20 }, as: UTF8.self)
        let descriptor = clinux_open_task_exits(text)
        guard descriptor >= 0 else {
            throw SystemError(action: "hear of processes that end", code: -descriptor)
        }
        socket = FileDescriptor(owning: descriptor)
    }

    private static func text<Characters>(_ characters: Characters) -> String {
        withUnsafeBytes(of: characters) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    /// The ends since the last call, in order.
    public mutating func read() -> [TaskExit] {
        var ends: [TaskExit] = []
        var raw = clinux_task_exit()
        while true {
            switch clinux_next_task_exit(socket.rawValue, &raw) {
            case 1:
                ends.append(
                    TaskExit(
                        pid: raw.pid, parent: raw.parent, name: Self.text(raw.name),
                        peakResident: .kibibytes(raw.peak_resident_kibibytes)))
            case 0: return ends
            default:
                // ENOBUFS says so once; anything else would go on for ever.
                if hasLost { return ends }
                hasLost = true
            }
        }
    }
}

/// Finds among the ends of all processes those of one tree.
public struct TreeExits {
    /// Ended processes of the tree, whose children may end later.
    private var ended: Set<Int32> = []
    /// Ends of processes whose parents are not known yet.
    private var waiting: [TaskExit] = []

    /// More than these are forgotten, oldest knowledge first.
    private static let most = 65_536

    /// Nothing yet.
    public init() {}

    /// The largest peak among the ended processes of a tree; nil when none ended.
    ///
    /// - Parameters:
    ///   - ends: What has ended since the last call.
    ///   - isMember: Whether a process is known to be of the tree.
    public mutating func largestPeak(of ends: [TaskExit], isMember: (Int32) -> Bool) -> ByteCount? {
        guard !ends.isEmpty || !waiting.isEmpty else { return nil }
        var largest: ByteCount?
        var unknown = waiting + ends
        var found = true
        // A child ends before its parent mostly, so the parent's end, which makes the child known, comes later.
        while found {
            found = false
            var left: [TaskExit] = []
            for end in unknown.reversed() {
                guard isMember(end.pid) || isMember(end.parent) || ended.contains(end.parent) else {
                    left.append(end)
                    continue
                }
                found = true
                ended.insert(end.pid)
                largest = max(largest ?? .zero, end.peakResident)
            }
            unknown = left.reversed()
        }
        // Those of other trees never become known: one more look is enough for a parent that was started meanwhile.
        let arrived = Set(ends.map(\.pid))
        waiting = Array(unknown.filter { arrived.contains($0.pid) }.suffix(4096))
        if ended.count > Self.most { ended.removeAll() }
        return largest
    }
}
