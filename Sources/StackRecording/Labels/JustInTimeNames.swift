internal import LinuxProcess
internal import LinuxSystem
package import Measurement
internal import StackSampler
internal import Symbolication

/// Names for code that no file holds: what runtimes with a just-in-time compiler write to `/tmp/perf-PID.map`.
///
/// Anybody can put such a file into `/tmp`, so it has to belong to the user whose process it describes, and be no older
/// than the process. At most `processLimit` processes are looked up.
package struct JustInTimeNames {
    /// Who may have written the maps, and since when.
    package struct Trust: Sendable {
        var userID: UInt32
        var notBefore: Timestamp

        /// Maps of one user that are no older than a moment.
        package init(userID: UInt32, notBefore: Timestamp) {
            self.userID = userID
            self.notBefore = notBefore
        }
    }

    /// Sentences about maps that were not used.
    private(set) var notes: [String] = []

    private var maps: [Int32: PerfMap] = [:]

    static let processLimit = 64

    /// No maps.
    init() {}

    /// Reads the maps of the processes that ran code without a file.
    init(for raw: RawProfile, trust: Trust, directory: String = "/tmp") {
        var processes: Set<Int32> = []
        for frame in raw.frames {
            if case .runtime(_, let process) = frame.address { processes.insert(process) }
        }
        if processes.count > Self.processLimit {
            notes.append(
                "\(processes.count) processes ran code without a file; the names of only \(Self.processLimit) were "
                    + "looked for in \(directory).")
        }
        for process in processes.sorted().prefix(Self.processLimit) {
            do throws(Files.ReadError) {
                var map = try Self.ofContainer(process, trust: trust)
                if map == nil {
                    map = try PerfMap.ofProcess(
                        process, owner: trust.userID, notBefore: trust.notBefore, directory: directory)
                }
                maps[process] = map
                if let map, map.rejectedLines > 0 {
                    notes.append(
                        "\(map.rejectedLines) lines of \(directory)/perf-\(process).map could not be understood."
                    )
                }
            } catch {
                notes.append(error.description)
            }
        }
    }

    /// The map as the process itself sees it: in a container under another number, and in another `/tmp`. Nil for one that
    /// is in none, or has ended.
    private static func ofContainer(_ process: Int32, trust: Trust) throws(Files.ReadError) -> PerfMap? {
        guard let number = ProcessFacts.innermostNumber(of: process) else { return nil }
        return try PerfMap.ofProcess(
            process, owner: trust.userID, notBefore: trust.notBefore, directory: "/tmp",
            number: number, isOwnView: true)
    }

    /// The function at an address of a process's own memory.
    func function(at address: RuntimeAddress, processID: Int32) -> String? {
        maps[processID]?.function(at: address)?.name
    }
}
