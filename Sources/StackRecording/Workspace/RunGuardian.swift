internal import LinuxProcess
internal import LinuxSystem
internal import Measurement

/// A process beside a capture that outlives it: when the capture is killed, it ends what the capture was running.
///
/// The kernel ends the measured command itself when we die, but not what that has started. The guardian sleeps in a read
/// until then, so it disturbs no measurement.
public final class RunGuardian {
    /// The first argument by which an executable is asked to be the guardian. Not meant for people.
    static let argument = "--freeze-profile-guardian"

    private let words: FileDescriptor
    private var process: ChildProcess

    /// Starts a guardian: this executable once more, which has to call ``runIfRequested(arguments:)`` first in main.
    package init() throws(StackRecordingError) {
        do throws(SystemError) {
            let pipe = try FileDescriptor.pipe()
            process = try RunGuardian.start(reading: pipe.readEnd.rawValue)
            words = pipe.takeWriteEnd()
        } catch {
            throw .refused("No process could be started to guard the run. \(error)")
        }
    }

    deinit {
        // The guardian ends what is still running, and goes. One that has been killed has nothing left to do, and one that
        // does not go within two seconds is ended with its handle.
        _ = Result { () throws(SystemError) in
            try words.write(Array("end\n".utf8))
            _ = try process.wait(timeout: .seconds(2))
        }
    }

    /// From now on a process group is ended when we die.
    package func guardGroup(_ leader: Int32) throws(StackRecordingError) { try say("guard \(leader)") }

    /// From now on a process that the group has left behind, and that may have left the group, is ended when we die.
    package func guardOrphan(_ pid: Int32) {
        // A guardian that is gone ends nothing any more; that the run itself goes on matters more.
        _ = Result { () throws(StackRecordingError) in try say("orphan \(pid)") }
    }

    /// From now on a directory is removed when we die.
    package func guardWorkspace(_ path: String) throws(StackRecordingError) { try say("workspace \(path)") }

    /// When we die, the directory is removed only after a process has ended that may write there and runs on.
    func keepWorkspace(whileRunning pid: Int32) {
        // A guardian that is gone removes nothing any more.
        _ = Result { () throws(StackRecordingError) in try say("keep \(pid)") }
    }

    private func say(_ line: String) throws(StackRecordingError) {
        do throws(SystemError) {
            try words.write(Array("\(line)\n".utf8))
        } catch {
            throw .refused("The process that guards the run is gone. \(error)")
        }
    }

    /// The group has ended, and what it has left behind.
    package func release() {
        // A guardian that is gone guards nothing any more, which is what is wanted.
        _ = Result { () throws(SystemError) in try words.write(Array("release\n".utf8)) }
    }

    private static func start(reading descriptor: Int32) throws(SystemError) -> ChildProcess {
        var request = ChildRequest(["/proc/self/exe", argument, "\(descriptor)"])
        request.standardInput = .null
        request.standardOutput = .null
        request.standardError = .null
        request.inheritedDescriptors = [descriptor]
        // Out of reach of the terminal's Ctrl-C, which is for the capture.
        request.leadsProcessGroup = true
        do throws(SpawnError) {
            return try ChildProcess.start(request)
        } catch {
            if case .system(let cause) = error { throw cause }
            throw SystemError(action: "start '/proc/self/exe'", code: SystemError.brokenPipe)
        }
    }

    // MARK: - The guardian's side

    /// Guards when this process was started to be a guardian, and returns its exit code; else nil.
    public static func runIfRequested(arguments: [String] = CommandLine.arguments) -> Int32? {
        guard arguments.count == 3, arguments[1] == argument, let descriptor = Int32(arguments[2]),
            descriptor > 2
        else { return nil }
        CurrentProcess.setThreadName("freeze-guardian")
        var orders = Orders()
        var orphans = Orphans()
        do throws(SystemError) {
            // Blocked: a user who ends the capture's processes one by one should not end this one first.
            let inbox = try SignalInbox(for: [
                SignalInbox.interrupt, SignalInbox.terminate, SignalInbox.hangUp, SignalInbox.quit,
            ])
            let words = FileDescriptor(owning: descriptor)
            while !orders.isOver {
                let piece = try words.read(upTo: 4096)
                if piece.isEmpty { break }
                orders.take(piece)
                orphans.follow(orders.orphans)
            }
            _ = consume inbox
        } catch {
            // A pipe that cannot be read is a capture that is gone.
        }
        if let group = orders.group { ProcessGroup.kill(group) }
        orphans.end()
        if let user = orders.user, !orders.isOver { waitForEnd(of: user) }
        if let workspace = orders.workspace { remove(workspace) }
        return 0
    }

    private static func waitForEnd(of pid: Int32) {
        do throws(SystemError) {
            let handle = try ProcessHandle(pid: pid)
            _ = try FileDescriptor.waitUntilReadable([handle.descriptor], timeout: nil)
        } catch {
            // It has ended.
        }
    }

    /// Removes a directory, into which processes may still write that are being ended.
    private static func remove(_ directory: String) {
        for _ in 0..<20 {
            do throws(SystemError) {
                return try Files.removeTree(directory)
            } catch {
                // Again in a moment. What cannot be removed lies in the system's temporary directory.
                SystemClock.sleep(for: .milliseconds(50))
            }
        }
    }

    /// Processes to be ended, held so that their numbers cannot come to mean others.
    private struct Orphans {
        private final class Held {
            let handle: ProcessHandle
            init(_ handle: consuming ProcessHandle) { self.handle = handle }
        }
        private var held: [Int32: Held] = [:]

        /// Holds these and no others.
        mutating func follow(_ pids: Set<Int32>) {
            held = held.filter { pids.contains($0.key) }
            for pid in pids where held[pid] == nil {
                do throws(SystemError) {
                    held[pid] = Held(try ProcessHandle(pid: pid))
                } catch {
                    // It has ended.
                    continue
                }
            }
        }

        func end() {
            for orphan in held.values { orphan.handle.send(SignalInbox.kill) }
        }
    }

    /// What the capture has said so far. Pure.
    struct Orders {
        private(set) var group: Int32?
        /// Processes that the group has left behind.
        private(set) var orphans: Set<Int32> = []
        private(set) var workspace: String?
        /// A process that uses the workspace and outlives us.
        private(set) var user: Int32?
        private(set) var isOver = false
        private var unfinished: [UInt8] = []

        /// A handle each: fewer than the descriptors that a process may have.
        private static let mostOrphans = 512

        /// Takes in bytes, in pieces of any size.
        mutating func take(_ bytes: [UInt8]) {
            unfinished += bytes
            while let end = unfinished.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: unfinished[..<end], as: UTF8.self)
                unfinished.removeSubrange(...end)
                let parts = line.split(separator: " ", maxSplits: 1)
                switch parts.first {
                case "guard": group = parts.count > 1 ? Int32(parts[1]) : nil
                case "orphan":
                    if parts.count > 1, let pid = Int32(parts[1]), orphans.count < Self.mostOrphans {
                        orphans.insert(pid)
                    }
                case "release":
                    group = nil
                    orphans = []
                case "workspace": workspace = parts.count > 1 ? String(parts[1]) : nil
                case "keep": user = parts.count > 1 ? Int32(parts[1]) : nil
                case "end": isOver = true
                default: break
                }
            }
        }
    }
}
