internal import CLinux
public import LinuxSystem
internal import Measurement

/// The processes that a command leaves to us: those whose own parents have ended.
///
/// Without this, an orphan belongs to init, and neither its end nor what it has used is reported to anyone who knows the
/// command. The corresponding C call is `prctl(PR_SET_CHILD_SUBREAPER)`: it is in force until this process ends.
public final class AdoptedProcesses {
    /// A process, for people.
    public struct Name: Hashable, Sendable {
        public var pid: Int32
        /// The program's name, at most 15 bytes: untrusted text.
        public var program: String
    }

    /// Orphans that were there before the command was started, such as those of another command.
    private let strangers: Set<Int32>
    private var known: Set<Int32> = []
    /// What those that have ended have used.
    private var ended = ChildProcess.Account()

    /// Takes over orphans from now on. Those that are there already are not among them.
    public init() throws(SystemError) {
        let result = clinux_become_subreaper()
        guard result == 0 else {
            throw SystemError(action: "take over the processes of a command that ends", code: -result)
        }
        strangers = Set(OwnChildren.orphans())
    }

    /// What a look has found.
    public enum News: Hashable, Sendable {
        /// A new orphan that lives.
        case new(pid: Int32)
        /// An orphan that has ended, whether it was seen before or not, and the CPU time of it and of the children that it has
        /// waited for.
        case ended(pid: Int32, cpu: Duration)
    }

    /// Looks for new orphans, and waits for those that have ended.
    @discardableResult
    public func look() -> [News] {
        var news: [News] = []
        for pid in OwnChildren.orphans() {
            let isStranger = strangers.contains(pid)
            if ProcessStat.ofProcess(pid)?.hasEnded ?? false {
                guard let account = wait(for: pid), !isStranger else { continue }
                ended.add(account)
                news.append(.ended(pid: pid, cpu: account.cpu))
            } else if !isStranger, known.insert(pid).inserted {
                news.append(.new(pid: pid))
            }
        }
        return news
    }

    /// The orphans that live and their descendants, parents before children.
    public func living() -> [Name] { family().map { Name(pid: $0.identity.pid, program: $0.name) } }

    /// What all of them have used so far, the ended ones and the living ones.
    public func account() -> ChildProcess.Account {
        look()
        var account = ended
        for stat in family() { account.add(ChildProcess.Account(living: stat)) }
        return account
    }

    /// Ends those that live: a request first, SIGKILL for who has not heeded it within a time. Those that are left then: none,
    /// unless the kernel itself holds one.
    public func end(grace: Duration) -> [Name] {
        look()
        if grace > .zero {
            send(SignalInbox.terminate)
            send(SignalInbox.goOn)
            if waitForEnd(within: grace) { return [] }
        }
        // One that is ended leaves its children to us: again until none is left.
        for _ in 0..<50 {
            send(SignalInbox.kill)
            if waitForEnd(within: .milliseconds(100)) { return [] }
        }
        return living()
    }

    private func wait(for pid: Int32) -> ChildProcess.Account? {
        var status: Int32 = 0
        var raw = clinux_usage()
        known.remove(pid)
        return clinux_wait(pid, &status, &raw) > 0 ? ChildProcess.Account(raw) : nil
    }

    private func family() -> [ProcessStat] {
        known.sorted().flatMap { ProcessTree.processes(from: $0) }
            .compactMap { ProcessStat.ofProcess($0) }.filter { !$0.hasEnded }
    }

    /// Sends a signal to each. Its number is looked at again while it is held: a process whose parent is none of ours any more
    /// is another one.
    private func send(_ signal: Int32) {
        let family = family()
        let parents = Set(family.map(\.identity.pid)).union([CurrentProcess.pid])
        for process in family {
            do throws(SystemError) {
                let handle = try ProcessHandle(pid: process.identity.pid)
                guard let stat = ProcessStat.ofProcess(process.identity.pid),
                    stat.identity == process.identity, parents.contains(stat.parent)
                else { continue }
                handle.send(signal)
            } catch {
                // It has ended, or the kernel knows no handles (before 5.3). A child of ours keeps its number until we wait.
                if process.parent == CurrentProcess.pid {
                    ProcessGroup.send(signal, to: process.identity.pid)
                }
            }
        }
    }

    /// Waits for the end of all; false when the time is over first.
    private func waitForEnd(within time: Duration) -> Bool {
        let deadline = SystemClock.monotonicNanoseconds + time.inNanoseconds
        while true {
            look()
            if known.isEmpty { return true }
            let left = deadline - SystemClock.monotonicNanoseconds
            guard left > 0 else { return false }
            // The last process to end may be a grandchild, so a handle on one of them would not do.
            SystemClock.sleep(for: min(.milliseconds(5), Duration(nanosecondCount: left)))
        }
    }
}
