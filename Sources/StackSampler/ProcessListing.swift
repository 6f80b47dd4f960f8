internal import LinuxProcess
internal import LinuxSystem

/// Threads and children of running processes, from `/proc`. What has ended has none.
enum ProcessListing {
    /// The threads of a process.
    static func threads(of processID: Int32) -> [Int32] {
        let names: [String]
        do throws(SystemError) {
            names = try Files.names(inDirectory: "/proc/\(processID)/task")
        } catch {
            return []
        }
        return names.compactMap { Int32($0) }
    }

    /// The first thread of a process that has not ended; the process itself where none can be determined.
    static func firstRunnable(of processID: Int32) -> Int32 {
        guard let first = ProcessStat.ofProcess(processID), first.state == "Z" || first.state == "X" else {
            return processID
        }
        return threads(of: processID).first { $0 != processID } ?? processID
    }

    /// A process and all its descendants.
    static func family(of processID: Int32) -> [Int32] {
        var family = [processID]
        var next = 0
        while next < family.count, family.count < 10_000 {
            let parent = family[next]
            next += 1
            for threadID in threads(of: parent) {
                family += children("/proc/\(parent)/task/\(threadID)/children")
            }
        }
        return family
    }

    private static func children(_ path: String) -> [Int32] {
        do throws(Files.ReadError) {
            let text = String(decoding: try Files.read(path, limit: 1 << 20), as: UTF8.self)
            return text.split(separator: " ").compactMap { Int32($0) }
        } catch {
            // The process is gone, or the kernel was built without these files.
            return []
        }
    }
}
